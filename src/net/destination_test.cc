// Tables of addresses and URLs: what is public, what only looks so, what no two parsers read alike.
#include "net/destination.h"

#include <doctest/doctest.h>

namespace ampacity::net {

TEST_CASE("addresses: public or not, at both ends of every range") {
  for (const char* text : {"1.1.1.1",
                           "9.255.255.255",
                           "11.0.0.0",
                           "100.63.255.255",
                           "100.128.0.0",
                           "126.255.255.255",
                           "128.0.0.0",
                           "169.253.255.255",
                           "169.255.0.0",
                           "172.15.255.255",
                           "172.32.0.0",
                           "192.0.1.0",
                           "192.167.255.255",
                           "192.169.0.0",
                           "198.17.255.255",
                           "198.20.0.0",
                           "203.0.112.255",
                           "203.0.114.0",
                           "223.255.255.255",
                           "168.63.129.15",
                           "168.63.129.17",
                           "2606:4700::1111",
                           "2001:4860:4860::8888",
                           "2a00::1",
                           "::ffff:1.1.1.1",
                           "2003::1"}) {
    CAPTURE(text);
    const auto a = parse_address(text);
    REQUIRE(a);
    CHECK(is_public(*a));
    CHECK_FALSE(is_loopback(*a));
  }
}

TEST_CASE("addresses: what is not public") {
  for (const char* text : {"0.0.0.0",
                           "0.255.255.255",
                           "10.0.0.0",
                           "10.255.255.255",
                           "100.64.0.0",
                           "100.127.255.255",
                           "100.100.100.200",
                           "127.0.0.1",
                           "127.255.255.255",
                           "169.254.0.0",
                           "169.254.169.254",
                           "169.254.255.255",
                           "172.16.0.0",
                           "172.31.255.255",
                           "192.0.0.192",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.0",
                           "192.168.255.255",
                           "198.18.0.0",
                           "198.19.255.255",
                           "198.51.100.1",
                           "203.0.113.255",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.0",
                           "255.255.255.255",
                           "168.63.129.16",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "::ffff:7f00:1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:0:4136:e378::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:1ff:ffff::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "2002:a9fe:a9fe::",
                           "3fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "::1.1.1.1"}) {
    CAPTURE(text);
    const auto a = parse_address(text);
    REQUIRE(a);
    CHECK_FALSE(is_public(*a));
  }
}

TEST_CASE("addresses: loopback, and what is none") {
  for (const char* text : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"})
    CHECK(is_loopback(*parse_address(text)));
  for (const char* text : {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "0x7f.0.0.1",
                           "1.2.3.4 ", "::g", "fe80::1%eth0", "[::1]"})
    CHECK_FALSE(parse_address(text));
  CHECK_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)));
  CHECK(format_address(*parse_address("::FFFF:1.2.3.4")) == "::ffff:1.2.3.4");
}

TEST_CASE("URLs that may be: how they are read") {
  struct Row {
    const char *url, *base, *target;
  };
  for (const Row& r :
       {Row{"https://example.com", "https://example.com:443", "/"},
        Row{"HTTPS://Example.COM./Hook?a=1&b=%2F", "https://example.com:443", "/Hook?a=1&b=%2F"},
        Row{"https://example.com?x", "https://example.com:443", "/?x"},
        Row{"https://hooks.example.com:8443/x", "https://hooks.example.com:8443", "/x"},
        Row{"https://1.1.1.1/", "https://1.1.1.1:443", "/"},
        Row{"https://[2606:4700::1111]:4430/x", "https://[2606:4700::1111]:4430", "/x"},
        Row{"https://xn--bcher-kva.example/@a", "https://xn--bcher-kva.example:443", "/@a"},
        Row{"https://1.example.0a/", "https://1.example.0a:443", "/"}}) {
    CAPTURE(r.url);
    const auto d = parse_destination(r.url, Reach::public_only);
    REQUIRE_MESSAGE(d, d.error().message);
    CHECK(d->base_url() == r.base);
    CHECK(d->target == r.target);
  }
}

TEST_CASE("URLs that may not be") {
  for (const char* url :
       {"", "https", "https://", "https:///x", "//example.com", "example.com", "ftp://example.com",
        "http://example.com", "file:///etc/passwd", "gopher://example.com", "javascript:alert(1)",
        // somebody's password, or a host behind it
        "https://user@example.com", "https://user:pass@example.com", "https://@example.com",
        "https://example.com@127.0.0.1/", "https://1.1.1.1:443@127.0.0.1",
        // this machine, this network
        "https://localhost", "https://LOCALHOST.", "https://a.localhost", "https://printer",
        "https://printer.local", "https://metadata.google.internal./x", "https://1.0.0.127.arpa",
        "https://127.0.0.1", "https://127.0.0.1.", "https://10.1.2.3:8443", "https://0.0.0.0",
        "https://169.254.169.254/latest/meta-data/", "https://[::1]", "https://[::ffff:127.0.0.1]",
        "https://[::FFFF:7F00:1]", "https://[fe80::1]", "https://[fe80::1%25eth0]",
        "https://[fd00:ec2::254]", "https://[::]", "https://[64:ff9b::a9fe:a9fe]",
        // numbers in other dress
        "https://2130706433", "https://0x7f000001", "https://0X7F.1", "https://017700000001",
        "https://127.1", "https://127.0.1", "https://0177.0.0.1", "https://0x7f.0.0.1",
        "https://127.0.0.01", "https://1.2.3.4.5", "https://999.1.1.1", "https://1.1.1.0x1",
        "https://example.0x", "https://127.0.0.1%00", "https://%31%32%37.0.0.1",
        // hosts that are none
        "https://-a.example.com", "https://a-.example.com", "https://a..example.com",
        "https://.example.com", "https://example.com..", "https://exa mple.com",
        "https://b\xC3\xBC"
        "cher.example",
        "https://\xE2\x91\xA0.example.com", "https://a,b.example.com", "https://a*b.example.com",
        "https://[1.1.1.1]", "https://[::1", "https://::1", "https://[2606:4700::1111]x",
        // ports
        "https://example.com:", "https://example.com:0", "https://example.com:65536",
        "https://example.com:22", "https://example.com:80", "https://example.com:-1",
        "https://example.com:+443", "https://example.com:0x1bb", "https://example.com:443:443",
        // what parsers disagree about
        "https://example.com\\@127.0.0.1", "https:\\\\example.com",
        "https://example.com#@127.0.0.1", "https://example.com/\r\nHost: x",
        "https://example.com/\tx", " https://example.com", "https://example.com/ x"}) {
    CAPTURE(url);
    CHECK_FALSE(parse_destination(url, Reach::public_only));
  }
  CHECK_FALSE(parse_destination(std::string("https://example.com/\0x", 22), Reach::public_only));
  CHECK_FALSE(
      parse_destination("https://example.com/" + std::string(2048, 'x'), Reach::public_only));
}

TEST_CASE("with reach anywhere: this network too, but plain http to loopback only") {
  for (const char* url : {"http://127.0.0.1:8080/x", "http://localhost:1/x", "https://10.0.0.1",
                          "https://printer", "http://[::1]:80"})
    CHECK(parse_destination(url, Reach::anywhere));
  for (const char* url : {"http://1.1.1.1", "http://10.0.0.1", "http://user@127.0.0.1",
                          "http://2130706433", "ftp://127.0.0.1"})
    CHECK_FALSE(parse_destination(url, Reach::anywhere));
}

TEST_CASE("a name is refused if any of its addresses is; then one that is public is pinned") {
  const auto d = *parse_destination("https://hooks.example.com/x", Reach::public_only);
  const auto ask = [&](std::vector<const char*> texts, Reach reach = Reach::public_only) {
    return address_of(d, reach, [&](const std::string& host) -> base::Try<std::vector<Address>> {
      CHECK(host == "hooks.example.com");
      std::vector<Address> found;
      for (const char* t : texts) found.push_back(*parse_address(t));
      return found;
    });
  };
  CHECK(format_address(*ask({"2606:4700::1", "1.1.1.1", "8.8.8.8"})) == "1.1.1.1");
  CHECK(format_address(*ask({"2606:4700::1"})) == "2606:4700::1");
  CHECK(ask({}).error().retryable);
  for (const char* bad : {"127.0.0.1", "10.0.0.1", "::1", "fe80::1", "::ffff:169.254.169.254"}) {
    CAPTURE(bad);
    CHECK_FALSE(ask({bad}).error().retryable);
    CHECK_FALSE(ask({"1.1.1.1", bad}));
    CHECK(ask({bad}, Reach::anywhere));
  }
  // Plain http to a name: only if all it leads to is this machine.
  const auto plain = *parse_destination("http://localhost/x", Reach::anywhere);
  const auto lead = [&](const char* to) {
    return address_of(plain, Reach::anywhere,
                      [&](const std::string&) -> base::Try<std::vector<Address>> {
                        return std::vector<Address>{*parse_address(to)};
                      });
  };
  CHECK(lead("127.0.0.1"));
  CHECK_FALSE(lead("1.1.1.1"));
}

}  // namespace ampacity::net
