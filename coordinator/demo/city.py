"""San Francisco as the demo knows it: ZIP areas with a middle point and some of their streets.

Points are rounded to about a hundred metres; house numbers and people are invented.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Area:
    """A ZIP area: middle point, half its height and width in degrees, streets, and how many older people live there."""

    zip: str
    name: str
    lat: float
    lon: float
    reach: float
    streets: tuple[str, ...]
    weight: int


AREAS = (
    Area("94102", "Tenderloin", 37.7800, -122.4165, 0.004, ("Eddy Street", "Turk Street", "Golden Gate Avenue"), 4),
    Area("94103", "South of Market", 37.7735, -122.4110, 0.005, ("Folsom Street", "Howard Street", "Natoma Street"), 3),
    Area("94107", "Potrero Hill", 37.7620, -122.3975, 0.005, ("Missouri Street", "18th Street", "Texas Street"), 2),
    Area("94108", "Chinatown", 37.7925, -122.4080, 0.003, ("Clay Street", "Sacramento Street", "Stockton Street"), 5),
    Area("94109", "Nob Hill", 37.7930, -122.4210, 0.005, ("Pine Street", "Larkin Street", "Polk Street"), 5),
    Area("94110", "Mission", 37.7490, -122.4160, 0.008, ("Valencia Street", "Shotwell Street", "24th Street"), 6),
    Area("94112", "Excelsior", 37.7205, -122.4430, 0.008, ("Mission Street", "Naples Street", "Geneva Avenue"), 8),
    Area("94114", "Castro", 37.7585, -122.4350, 0.006, ("Noe Street", "Sanchez Street", "Hartford Street"), 3),
    Area("94115", "Western Addition", 37.7860, -122.4370, 0.005, ("Steiner Street", "Bush Street", "Post Street"), 5),
    Area("94116", "Parkside", 37.7440, -122.4860, 0.008, ("Taraval Street", "28th Avenue", "Santiago Street"), 6),
    Area("94117", "Haight", 37.7700, -122.4430, 0.006, ("Page Street", "Oak Street", "Clayton Street"), 3),
    Area("94118", "Inner Richmond", 37.7810, -122.4610, 0.007, ("Clement Street", "6th Avenue", "Balboa Street"), 5),
    Area("94121", "Outer Richmond", 37.7765, -122.4940, 0.008, ("Anza Street", "34th Avenue", "Cabrillo Street"), 6),
    Area("94122", "Sunset", 37.7590, -122.4850, 0.009, ("Irving Street", "Judah Street", "22nd Avenue"), 7),
    Area("94123", "Marina", 37.8000, -122.4370, 0.005, ("Chestnut Street", "Union Street", "Greenwich Street"), 3),
    Area("94124", "Bayview", 37.7330, -122.3900, 0.007, ("Palou Avenue", "Third Street", "Oakdale Avenue"), 5),
    Area("94127", "West Portal", 37.7350, -122.4590, 0.006, ("Ulloa Street", "Monterey Boulevard", "Yerba Buena Avenue"), 3),
    Area("94131", "Glen Park", 37.7425, -122.4380, 0.006, ("Chenery Street", "Diamond Street", "Addison Street"), 3),
    Area("94132", "Lakeshore", 37.7240, -122.4800, 0.007, ("Holloway Avenue", "Junipero Serra Boulevard", "Font Boulevard"), 4),
    Area("94133", "North Beach", 37.8030, -122.4110, 0.005, ("Vallejo Street", "Powell Street", "Bay Street"), 5),
    Area("94134", "Visitacion Valley", 37.7195, -122.4130, 0.006, ("Leland Avenue", "Sunnydale Avenue", "Wilde Avenue"), 5),
)  # fmt: skip

#: Every ZIP code that lies in the city.
ZIPS = tuple(
    f"941{number:02d}"
    for number in (2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23, 24, 27, 29, 30, 31, 32, 33, 34, 58)
)
OFFICE = ("1 Dr Carlton B Goodlett Place, San Francisco, CA 94102", 37.7793, -122.4193)


def make_home(random: Random, area: Area | None = None) -> dict[str, object]:
    """An address with a point, in a ZIP area chosen by how many older people live there."""
    if area is None:
        area = random.choices(AREAS, weights=[a.weight for a in AREAS])[0]
    return {
        "address": f"{random.randrange(100, 2900)} {random.choice(area.streets)}",
        "city": "San Francisco",
        "state": "CA",
        "zip": area.zip,
        "lat": round(area.lat + random.uniform(-area.reach, area.reach), 6),
        "lon": round(area.lon + random.uniform(-area.reach, area.reach), 6),
        "point_source": "given",
    }
