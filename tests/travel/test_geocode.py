"""From an address to a point: hand-worked geometry, and never silent about how good it is."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.travel.addresses import read_line
from coordinator.travel.geocode import Geocoder, GeocodingError, Located, geocoders_from
from coordinator.travel.times import straight_metres

#: A degree of latitude is 111,195 m, so 0.0018 of it are 200.15 m.
SOUTH, NORTH = 37.7600, 37.7618


def street(
    name: str, kind: str, left: tuple[int, int], right: tuple[int, int], zip_code: str = "94114",
    line: list[list[float]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A segment that runs north, unless another line is given: left is its west side."""
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": line or [[-122.43, SOUTH], [-122.43, NORTH]]},
        "properties": {"street": name, "type": kind, "lf": list(left), "rt": list(right), "zip": zip_code},
    }


def square(zip_code: str, lon: float, lat: float) -> dict[str, Any]:
    ring = [[lon, lat], [lon + 0.02, lat], [lon + 0.02, lat + 0.02], [lon, lat + 0.02], [lon, lat]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"zip": zip_code}}


NOE = street("NOE", "ST", (501, 599), (500, 598))
GEOCODER = Geocoder(
    [
        NOE,
        street("NOE", "ST", (601, 699), (600, 698), line=[[-122.43, NORTH], [-122.43, NORTH + 0.0018]]),
        street("03RD", "ST", (1, 99), (2, 98), "94103"),
        street("03RD", "AVE", (1, 99), (2, 98), "94118"),
        street("SAINT FRANCIS", "PL", (1, 31), (2, 30), "94107"),
        street("SOUTH VAN NESS", "AVE", (101, 199), (100, 198), "94103"),
        street("VAN NESS", "AVE", (1101, 1199), (1100, 1198), "94109"),
        street("BROADWAY", "", (801, 899), (800, 898), "94133"),
        street("MISSION", "ST", (2501, 2599), (2500, 2598), "94110"),
        street("QUIET", "LN", (0, 0), (10, 20), "94110"),
        street("ODD", "WAY", (7, 7), (0, 0), "94110"),
    ],
    [square("94114", -122.44, 37.75), square("94110", -122.42, 37.74)],
)


def place(address: str, zip_code: str | None = "94114") -> Located:
    found = GEOCODER.locate(address, zip_code)
    assert found is not None
    return found


def test_the_number_lies_along_its_block_in_proportion_ten_metres_off_its_own_side() -> None:
    """550 is 50 of 98 numbers up the right (east) side: 50/98 x 0.0018 north, 10 m = 0.000114 degrees east."""
    found = place("550 Noe Street")
    assert found.point == pytest.approx((37.760918, -122.429886), abs=2e-6)
    assert (found.source, found.precision, found.note) == ("street-file", "street-range", None)


def test_odd_numbers_lie_on_the_other_side() -> None:
    odd, even = place("551 Noe St"), place("550 Noe St")
    assert odd.point[1] == pytest.approx(-122.430114, abs=2e-6)
    assert straight_metres(odd.point, even.point) == pytest.approx(20, abs=0.5)


def test_a_bent_street_is_followed_round_its_bend() -> None:
    """200 m north, then 200 m east: three quarters of the way is 100 m east of the bend, 10 m south of the street."""
    east = 0.0018 / 0.79046  # one degree of longitude is cos(37.76) of one of latitude
    bent = street("BENT", "ST", (1, 1), (100, 200), line=[[-122.43, SOUTH], [-122.43, NORTH], [-122.43 + east, NORTH]])
    found = Geocoder([bent]).locate("175 Bent St", "94114")
    # 175 has the wrong parity for 100 to 200: it is near that range, not in it.
    assert found is not None
    assert found.precision == "street"
    found = Geocoder([bent]).locate("150 Bent St", "94114")
    assert found is not None
    assert found.precision == "street-range"
    assert straight_metres(found.point, (NORTH, -122.43)) == pytest.approx(10, abs=1)
    found = Geocoder([bent]).locate("174 Bent St", "94114")
    assert found is not None
    assert straight_metres(found.point, (NORTH - 10 / 111_195, -122.43 + east * 0.48)) < 2


@pytest.mark.parametrize(
    "written",
    [
        "550 Noe", "550 NOE STREET", "550 noe str.", "  550   Noe St, Apt 4 ", "550 Noe St #4", "550 Noe St Unit 4B",
        "550 Noe St Ste 200", "550A Noe St", "550-A Noe St", "550 1/2 Noe St", "550 Noé St", "550 Noe St Fl 2",
    ],
)  # fmt: skip
def test_the_same_house_is_found_however_it_is_written(written: str) -> None:
    assert place(written) == place("550 Noe St")


@pytest.mark.parametrize(
    ("written", "zip_code", "as_in_file"),
    [
        ("50 3rd St", "94103", "50 03RD ST"),
        ("50 Third Street", "94103", "50 03RD ST"),
        ("11 St. Francis Place", "94107", "11 SAINT FRANCIS PL"),
        ("150 S Van Ness Ave", "94103", "150 SOUTH VAN NESS AVE"),
        ("150 South Van Ness Avenue", "94103", "150 SOUTH VAN NESS AVE"),
        ("1150 Van Ness Ave", "94109-1234", "1150 VAN NESS AVE"),
        ("820 Broadway St", "94133", "820 BROADWAY"),
    ],
)
def test_ordinals_saints_and_directions_are_the_file_s(written: str, zip_code: str, as_in_file: str) -> None:
    found = place(written, zip_code)
    assert found.precision == "street-range"
    assert found.point == place(as_in_file, zip_code).point


def test_a_street_and_an_avenue_of_one_name_are_two() -> None:
    assert place("50 3rd Ave", "94118").precision == "street-range"
    # There is no 3rd Boulevard, and nothing says which of the two is meant.
    assert GEOCODER.locate("50 3rd Blvd", "94103") == place("50 Nowhere St", "94103")


def test_a_kind_of_street_that_cannot_be_meant_is_forgiven_and_said() -> None:
    found = place("550 Noe Avenue")
    assert found.point == place("550 Noe St").point
    assert found.note == "The street file knows this street as ST, not AVE."


def test_a_zip_that_contradicts_the_street_is_said() -> None:
    found = place("2550 Mission St", "94114")
    assert (found.precision, found.source) == ("street-range", "street-file")
    assert found.note == "The street and number lie in 94110, not in 94114: one of them is wrong."


def test_a_number_just_outside_its_street_s_ranges_is_near_the_closest() -> None:
    found = place("720 Noe St")
    assert (found.precision, found.source) == ("street", "street-file")
    assert found.note == "The street file has no number 720 there; the nearest range is 600 to 698."
    assert straight_metres(found.point, (NORTH + 0.0018, -122.43)) < 11


@pytest.mark.parametrize(
    ("address", "note"),
    [
        ("9000 Noe St", "The street has no number near this one; the middle of the ZIP area stands in."),
        ("99999999999999999999 Noe St", "The address has no house number; the middle of the ZIP area stands in."),
        ("Noe St", "The address has no house number; the middle of the ZIP area stands in."),
        ("550 Atlantis Ave", "The street file has no such street; the middle of the ZIP area stands in."),
        ("PO Box 550", "The address names no street; the middle of the ZIP area stands in."),
        ("", "The address names no street; the middle of the ZIP area stands in."),
        ("550 \x00 Noe St", None),
        ("2550000 Mission St", "The address has no house number; the middle of the ZIP area stands in."),
        (
            "11000 Mission St",
            "The street does not lie in 94114, nor its number elsewhere; the middle of the ZIP stands in.",
        ),
    ],
)  # fmt: skip
def test_what_the_streets_do_not_know_lies_in_the_middle_of_its_zip_area(address: str, note: str | None) -> None:
    found = place(address)
    if note is None:  # a NUL is no letter of any street: it is passed over
        assert found == place("550 Noe St")
        return
    assert found == Located((37.76, -122.43), "zip-centroid", "zip-centroid", note)


def test_neither_street_nor_zip_is_nowhere() -> None:
    assert GEOCODER.locate("1 Elsewhere Rd", "10001") is None
    assert GEOCODER.locate("1 Elsewhere Rd", None) is None


def test_without_areas_the_middle_of_a_zip_is_that_of_its_streets() -> None:
    found = Geocoder([NOE]).locate("1 Elsewhere Rd", "94114")
    assert found is not None
    assert found.point == (NORTH, -122.43)
    given = Geocoder([NOE], zip_points={"94114": (37.7, -122.4)}).locate("1 Elsewhere Rd", "94114")
    assert given is not None
    assert given.point == (37.7, -122.4)


def test_one_number_twice_on_one_street_is_not_taken_for_certain() -> None:
    twice = Geocoder([NOE, street("NOE", "ST", (531, 569), (530, 570), line=[[-122.40, SOUTH], [-122.40, NORTH]])])
    found = twice.locate("550 Noe St", "94114")
    assert found is not None
    assert (found.precision, found.note) == (
        "street",
        "More than one block of this street has the number; the first is taken.",
    )


def test_a_range_of_one_number_lies_in_the_middle_of_its_line() -> None:
    assert place("7 Odd Way", "94110").point[0] == pytest.approx((SOUTH + NORTH) / 2, abs=1e-6)


def test_ten_thousand_odd_lines_are_read_without_a_fault() -> None:
    for number in range(10_000):
        assert read_line(f"{number}\u2028{'x' * (number % 400)} 1/2 # St {number}") is not None


# ------------------------------------------------------------------------------------ files


OFF_EARTH = street("A", "ST", (1, 3), (2, 4), line=[[0, 95], [0, 1]])
ONE_POINT = street("A", "ST", (1, 3), (2, 4), line=[[0, 5]])


def written(folder: Path, toml: str, **files: Any) -> Path:
    for name, content in files.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        (folder / name.replace("_", ".")).write_bytes(data)
    path = folder / "streets.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def test_a_branch_names_its_files_and_what_they_call_things(tmp_path: Path) -> None:
    feature = {
        "geometry": NOE["geometry"],
        "properties": {
            "NAME": "Noe", "SUFFIX": "Street", "L_F": "501", "L_T": "599", "R_F": 500, "R_T": 598.0, "Z": 94114,
        },
    }  # fmt: skip
    path = written(
        tmp_path,
        """
        [SF]
        streets = "s.gz"
        zip_points = { 94114 = [37.7, -122.4] }
        fields = { name = "NAME", kind = "SUFFIX", zip = "Z", left = ["L_F", "L_T"], right = ["R_F", "R_T"] }
        """,
        s_gz=gzip.compress(json.dumps({"features": [feature]}).encode()),
    )
    assert geocoders_from(path)["SF"].locate("550 Noe St", "94114") == place("550 Noe St")


@pytest.mark.parametrize(
    ("toml", "content", "named"),
    [
        ('[SF]\nstreets = "absent"', {}, "absent: No such file"),
        ('[SF]\nstreets = 7', {}, "must name files"),
        ('[SF]\nroads = "s"', {}, "SF.roads: no such setting"),
        ("SF = 3", {}, "SF must be a table"),
        ("[SF", {}, "streets.toml: "),
        ('[SF]\nzip_points = { 94114 = [137.0, 0.0] }', {}, "zip_points must be"),
        ('[SF]\nzip_points = { 94114 = [nan, 0.0] }', {}, "zip_points must be"),
        ('[SF]\nfields = { name = 3 }', {}, "fields.name"),
        ('[SF]\nfields = { colour = "red" }', {}, "fields are name"),
        ('[SF]\nstreets = "s.json"', b"{", "s.json: no JSON"),
        ('[SF]\nstreets = "s.json"', {"features": 3}, "no GeoJSON FeatureCollection"),
        ('[SF]\nstreets = "s.json"', {"features": [NOE | {"geometry": None}]}, "feature 0 is no line"),
        ('[SF]\nstreets = "s.json"', {"features": [NOE | {"properties": {}}]}, "feature 0 has no property street"),
        ('[SF]\nstreets = "s.json"', {"features": [street("A", "ST", (-1, 5), (2, 4))]}, "-1 is no house number"),
        ('[SF]\nstreets = "s.json"', {"features": [street("A", "ST", (1, 10**30), (2, 4))]}, "is no house number"),
        ('[SF]\nstreets = "s.json"', {"features": [OFF_EARTH]}, "position"),
        ('[SF]\nstreets = "s.json"', {"features": [ONE_POINT]}, "fewer than two"),
        ('[SF]\nzips = "s.json"', {"features": [NOE]}, "feature 0 has no property zip|feature 0 is no area"),
        ('[SF]\nstreets = "s.gz"', {}, "s.gz"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, toml: str, content: Any, named: str) -> None:
    path = written(tmp_path, toml, s_json=content, s_gz=b"not gzip")
    with pytest.raises(GeocodingError, match=named):
        geocoders_from(path)
