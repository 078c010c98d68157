"""Who directed the care tells who directs it now; nothing waits for that but their inboxes."""

from datetime import timedelta

from coordinator.core.db import Database
from coordinator.core.http import Coordinator
from coordinator.domain.vocabulary import Role
from tests import builders
from tests.people import at, browser
from tests.teamwork.conftest import TUESDAY, Scene


def test_whoever_directs_the_care_now_has_a_card_from_whoever_did(
    app: Coordinator, database: Database, scene: Scene
) -> None:
    with database.transaction() as session:
        second, third = builders.make_physician(session).id, builders.make_physician(session).id
    partner = browser(app, database, Role.PHYSICIAN, physician_id=second)
    last = browser(app, database, Role.PHYSICIAN, physician_id=third)
    manager, doctor = scene.as_("manager"), scene.as_("doctor")
    post = f"/patients/{scene.patient}/managing-physician"

    def cards(**query: str) -> list[tuple[str, int, int]]:
        said = "&".join(f"{name}={value}" for name, value in query.items())
        listed = manager.get(f"/handoffs?patient_id={scene.patient}&{said}").json["items"]
        return [(row["status"], row["from_physician_id"], row["to_physician_id"]) for row in listed]

    with at(TUESDAY):
        named = manager("PUT", post, {"physician_id": second})
        assert named.status_code == 200, named.json
        assert cards() == [("draft", scene.physician, second)]
        again = manager("PUT", post, {"physician_id": third}, match=named.headers["ETag"])
        assert cards() == [("draft", scene.physician, third)], "who came between has nothing to tell"
        assert cards(live="false") == [("withdrawn", scene.physician, second)]
        back = manager("PUT", post, {"physician_id": scene.physician}, match=again.headers["ETag"])
        assert cards() == [], "whoever directs it again knows it"
        assert manager("PUT", post, {"physician_id": second}, match=back.headers["ETag"]).status_code == 200
        (card,) = manager.get(f"/handoffs?patient_id={scene.patient}").json["items"]
        path = f"/handoffs/{card['id']}"
        assert (card["cause"], card["discipline"], card["visit_id"]) == ("physician-changed", None, None)
        assert doctor.get(f"/patients/{scene.patient}").status_code == 404, "he sees the patient no more"
        assert [row["kind"] for row in doctor.get("/inbox/tasks").json["items"]] == ["write-handoff"]
        counted = doctor.get("/inbox").json
        assert (counted["handoffs_to_write"], counted["handoffs_to_read"]) == (1, 0)
        assert (
            partner.change("POST", f"{path}/acknowledge", {}, of=path).json["type"] == "/problems/handoff-not-finished"
        )
        words = {"watch": "Pain at night", "changed": "Morphine was doubled"}
        assert partner.change("POST", f"{path}/finish", words, of=path).json["type"] == "/problems/not-the-giver"
        told = doctor.change("POST", f"{path}/finish", words, of=path)
        assert told.status_code == 200, told.json
        assert {"orders", "deadlines", "scores", "matters_most"} <= told.json["content"].keys()
        assert partner.get("/inbox").json["handoffs_to_read"] == 1
        assert partner.get("/inbox?role=physician").json["handoffs_to_read"] == 0, "a card is a person's"
        assert last.get(path).status_code == 404
        read = partner.change("POST", f"{path}/acknowledge", {}, of=path)
        assert (read.status_code, read.json["status"]) == (200, "used"), read.json
        assert partner.get("/inbox").json["handoffs_to_read"] == doctor.get("/inbox").json["handoffs_to_write"] == 0
        assert doctor.get(path).status_code == 404, "told, and nothing of it is his any more"
    with at(TUESDAY + timedelta(hours=1)):
        assert partner.get("/inbox/tasks").json["items"] == []
