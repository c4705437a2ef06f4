"""The first lines of a read are what httpx2 would send."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.heads import aimed

NAMES = st.text("abc[]. ü&=+%", min_size=1, max_size=5)
VALUES = st.text(max_size=12).filter(lambda text: not any(0xD800 <= ord(mark) <= 0xDFFF for mark in text))


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from(["/sales", "/sales?old=1", "/a%20b/ü"]))
def test_a_target_is_what_httpx2_sends(params: dict[str, str], path: str) -> None:
    address = "https://api.example.com:8443/v1"
    aim = aimed("GET", address, path, (), tuple(params.items()))
    url = httpx2.URL(address + path, params=params) if params else httpx2.URL(address + path)
    assert aim.url == url
    assert aim.begins == b"GET %s HTTP/1.1\r\nhost: api.example.com:8443\r\n" % url.raw_path
    assert aim.origin == ("https", "api.example.com", 8443)


def test_a_value_that_would_make_it_another_path_is_refused() -> None:
    with pytest.raises(ValueError, match="slot"):
        aimed("GET", "https://api.example.com", "/slots/{slot}", (("slot", ".."),), ())
