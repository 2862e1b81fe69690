package http1

import "testing"

// small is what a load generator sends; browser is a request with 30 header lines as a browser and a proxy make it.
const (
	get     = "GET / HTTP/1.1\r\nHost: x\r\n"
	post    = "POST / HTTP/1.1\r\nHost: x\r\n"
	small   = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"
	browser = "GET /shop/items/42?color=blue&size=m HTTP/1.1\r\n" +
		"Host: shop.example.com\r\n" +
		"X-Real-IP: 203.0.113.7\r\n" +
		"X-Forwarded-For: 203.0.113.7\r\n" +
		"X-Forwarded-Proto: https\r\n" +
		"X-Forwarded-Host: shop.example.com\r\n" +
		"X-Forwarded-Port: 443\r\n" +
		"X-Request-ID: 6a8f3c1e9b2d4f60a7c5e8d1b3f2a496\r\n" +
		"X-Request-Start: t=1700000000.123\r\n" +
		"Via: 1.1 edge\r\n" +
		"Connection: keep-alive\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
		"Chrome/120.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
		"Referer: https://shop.example.com/shop/items?page=3\r\n" +
		"Cookie: csrftoken=4f1c9a7e2b6d8053f1a2c4e6d8b0a2c4; " +
		"sessionid=9b8a7c6d5e4f3021a1b2c3d4e5f60718; theme=dark\r\n" +
		"Cache-Control: max-age=0\r\n" +
		"Pragma: no-cache\r\n" +
		"DNT: 1\r\n" +
		"Upgrade-Insecure-Requests: 1\r\n" +
		"Sec-Fetch-Dest: document\r\n" +
		"Sec-Fetch-Mode: navigate\r\n" +
		"Sec-Fetch-Site: same-origin\r\n" +
		"Sec-Fetch-User: ?1\r\n" +
		"Sec-CH-UA: \"Chromium\";v=\"120\", \"Not A Brand\";v=\"99\"\r\n" +
		"Sec-CH-UA-Mobile: ?0\r\n" +
		"Sec-CH-UA-Platform: \"Linux\"\r\n" +
		"If-None-Match: \"5f3a9c7b\"\r\n" +
		"Priority: u=0, i\r\n" +
		"TE: trailers\r\n\r\n"
)

func benchmarkParse(b *testing.B, head string) {
	parser, buf, req := NewParser(defaults), []byte(head), &Request{}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := parser.Parse(buf, req); n != len(buf) || err != nil {
			b.Fatalf("Parse = %d, %v", n, err)
		}
	}
}

func BenchmarkParseSmall(b *testing.B)   { benchmarkParse(b, small) }
func BenchmarkParseBrowser(b *testing.B) { benchmarkParse(b, browser) }

func BenchmarkDecodeChunked(b *testing.B) {
	body := []byte("1000\r\n" + string(make([]byte, 4096)) + "\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")
	out := make([]byte, 0, len(body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := DecodeChunked(out, body, 0); n != len(body) || err != nil {
			b.Fatalf("DecodeChunked = %d, %v", n, err)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	for name, head := range map[string]string{"small": small, "browser": browser} {
		parser, buf, req := NewParser(defaults), []byte(head), &Request{}
		allocations := testing.AllocsPerRun(200, func() {
			if _, err := parser.Parse(buf, req); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations per request, want none", name, allocations)
		}
	}
}
