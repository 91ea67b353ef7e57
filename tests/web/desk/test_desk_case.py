from tests.web.desk.conftest import Desk


def test_page(clerk: Desk) -> None:
    case = clerk.world.submit()
    page = clerk.get(f"/amt/vorgang/{case.reference}/")
    assert "Vollständigkeit prüfen" in page


def test_inbox(clerk: Desk) -> None:
    case = clerk.world.submit()
    assert case.reference in clerk.get("/amt/eingang/")
