"""Invented people of San Francisco: names by the language that is spoken at home, illnesses, and what is ordered for them."""

from dataclasses import dataclass

from coordinator.domain.vocabulary import Discipline, Performer

#: Language (BCP-47), written language, how many of a hundred, family names, women's and men's given names.
LANGUAGES: tuple[tuple[str, str, int, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    ("en", "en", 52,
     ("Walker", "Murphy", "Johnson", "Rossi", "Bennett", "O'Brien", "Carter", "Hughes", "Foster", "Sullivan", "Brooks", "Weiss"),
     ("Dorothy", "Ruth", "Barbara", "Gloria", "Evelyn", "Marian", "Joyce"),
     ("Harold", "Walter", "Eugene", "Frank", "Raymond", "Leonard", "Earl")),
    ("yue", "zh-Hant", 21,
     ("Wong", "Leung", "Chan", "Lee", "Lau", "Yee", "Fong"),
     ("Mei Ling", "Suk Yin", "Wai Fong", "Lai Ping"),
     ("Kwok Wah", "Chi Ming", "Wing Sang", "Ho Yin")),
    ("cmn", "zh-Hant", 5, ("Wang", "Lin", "Chen"), ("Shu Fen", "Xiu Lan"), ("Jian Guo", "Wei Min")),
    ("es", "es", 12,
     ("Ramírez", "Castillo", "Flores", "Mendoza", "Ortega"),
     ("Guadalupe", "Carmen", "Rosa", "Elena"), ("José", "Manuel", "Rafael")),
    ("fil", "fil", 5, ("Santos", "Reyes", "Bautista"), ("Corazon", "Luzviminda"), ("Ernesto", "Rodrigo")),
    ("ru", "ru", 3, ("Ivanova", "Petrova"), ("Galina", "Ludmila"), ("Boris", "Viktor")),
    ("vi", "vi", 2, ("Nguyen", "Tran"), ("Hoa", "Lan"), ("Duc", "Minh")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order as the demo gives it: discipline, frequency, treatments, skills, goal."""

    discipline: Discipline
    frequency: str
    treatments: tuple[str, ...]
    goal: str
    skills: tuple[str, ...] = ()
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Illness:
    """A primary diagnosis with what is usually ordered for it. `starts` are the ICD-10-CM beginnings that it stands for."""

    code: str
    starts: tuple[str, ...]
    orders: tuple[Ordered, ...]


_SYMPTOMS = ("symptom assessment and management", "medication review", "teaching of patient and caregivers")
_AIDE = ("bathing", "dressing", "transfers", "skin care")
SN2 = Ordered(Discipline.SN, "2w4", _SYMPTOMS, "Symptoms held at a level the patient accepts")
SN1 = Ordered(Discipline.SN, "1w4", _SYMPTOMS, "Symptoms held at a level the patient accepts")
SN3 = Ordered(Discipline.SN, "3w2 2w2 2 PRN for uncontrolled pain", _SYMPTOMS, "Pain at four or less, most of the day")
WOUND = Ordered(
    Discipline.SN, "3w4", ("negative pressure wound therapy", "wound measurement"), "Wound smaller by a third",
    skills=("wound-vac",),
)  # fmt: skip
PT2 = Ordered(
    Discipline.PT,
    "2w4",
    ("gait training", "therapeutic exercise", "home safety training"),
    "Safe on the stairs with one rail",
)
OT1 = Ordered(
    Discipline.OT, "1w4", ("training in activities of daily living", "energy conservation"), "Washes alone, seated"
)
SLP1 = Ordered(Discipline.SLP, "1w4", ("swallowing therapy", "communication strategies"), "Eats safely with family")
MSW1 = Ordered(
    Discipline.MSW, "1w2", ("resource linkage", "counselling"), "Knows whom to call, and has what was applied for"
)
HHA2 = Ordered(Discipline.HHA, "2w4", _AIDE, "Clean, comfortable, skin whole")
HHA3 = Ordered(Discipline.HHA, "3w4", _AIDE, "Clean, comfortable, skin whole")
CHAP1 = Ordered(
    Discipline.CHAP, "1w4", ("spiritual assessment", "presence and prayer as wished"), "At peace in their own way"
)

ILLNESSES: tuple[Illness, ...] = (
    Illness("C34.90", ("C",), (SN3, HHA2, MSW1, CHAP1)),
    Illness("I50.9", ("I5", "I2", "I4"), (SN2, HHA2, PT2)),
    Illness("J44.9", ("J4",), (SN2, OT1, HHA2)),
    Illness("G30.9", ("G30", "F0"), (SN1, HHA3, MSW1)),
    Illness("G20.A1", ("G2",), (SN1, PT2, SLP1)),
    Illness("I63.9", ("I6",), (SN1, PT2, OT1, SLP1)),
    Illness("N18.6", ("N18", "E11.2"), (SN2, MSW1)),
    Illness("E11.621", ("E1",), (WOUND,)),
    Illness("G12.21", ("G1",), (SN2, HHA3, OT1, CHAP1)),
    Illness("C18.9", (), (SN2, HHA2, CHAP1)),
)
#: What is ordered where no illness of the list fits.
OTHERWISE: tuple[Ordered, ...] = (SN1, PT2)

#: The demo's staff in order of hiring: profession, languages beyond English, skills, gender. Larger agencies go round again.
STAFF: tuple[tuple[Performer, tuple[str, ...], tuple[str, ...], str], ...] = (
    (Performer.RN, ("es",), ("wound-vac", "iv"), "female"),
    (Performer.RN, ("yue", "cmn"), ("wound-vac",), "female"),
    (Performer.CHHA, ("yue",), (), "female"),
    (Performer.PT, ("yue",), (), "male"),
    (Performer.RN, ("fil",), ("picc", "iv"), "male"),
    (Performer.CHHA, ("es",), (), "female"),
    (Performer.MSW, ("es",), (), "female"),
    (Performer.OT, (), (), "female"),
    (Performer.CHHA, ("ru",), (), "female"),
    (Performer.CHHA, ("fil",), (), "male"),
    (Performer.CHAPLAIN, ("yue",), (), "male"),
    (Performer.SLP, (), (), "female"),
    (Performer.LVN, ("yue",), (), "female"),
    (Performer.PT, ("es",), (), "female"),
    (Performer.RN, ("vi", "es"), ("wound-vac", "picc"), "female"),
    (Performer.PTA, (), (), "male"),
)
STAFF_NAMES: tuple[tuple[str, str], ...] = (
    ("Ana", "Reyes"), ("Grace", "Wong"), ("Siu Lan", "Cheng"), ("Kenneth", "Lam"), ("Paolo", "Santos"),
    ("Marisol", "Vega"), ("Lucía", "Herrera"), ("Hannah", "Cole"), ("Irina", "Volkova"), ("Jun", "Dela Cruz"),
    ("Thomas", "Yip"), ("Nora", "Fitzgerald"), ("Amy", "Leung"), ("Carmen", "Ibarra"), ("Linh", "Pham"), ("Derek", "Stone"),
)  # fmt: skip
PHYSICIANS: tuple[tuple[str, str, str, str], ...] = (
    ("Adaeze", "Okafor", "MD", "Kaiser Permanente"),
    ("Daniel", "Levin", "DO", "Kaiser Permanente"),
    ("Mei", "Tan", "MD", "Kaiser Permanente"),
)
