import Testing

@testable import HTTPServer

struct RequestTargetTests {
    @Test(arguments: [
        ("/", [""]), ("/a/b", ["a", "b"]), ("/a/", ["a", ""]), ("//a", ["", "a"]), ("/a%2Fb/%2e%2E", ["a/b", ".."]),
        ("/a+b%2b", ["a+b+"]), ("/%F0%9F%98%80", ["😀"]), ("/a?b?c", ["a"]), ("http://h:1/x", ["x"]), ("HTTP://h", [""]),
        ("/a#b", ["a#b"]),
    ])
    func segments(text: String, expected: [String]) throws {
        #expect(try RequestTarget(text.utf8).segments == expected)
    }

    @Test func queries() throws {
        let target = try RequestTarget("/p?a=1&b=&c&&=d&e=f%3D%26=g+h&a=2".utf8)
        let expected = [("a", "1"), ("b", ""), ("c", ""), ("", "d"), ("e", "f=&=g h"), ("a", "2")]
        #expect(target.queryItems.map(\.name) == expected.map(\.0))
        #expect(target.queryItems.map(\.value) == expected.map(\.1))
    }

    @Test(arguments: [
        "", "a", "*", "/%", "/%4", "/%g0", "/%0g", "/%00", "/%C0%80", "/%ED%A0%80", "/?a=%", "/?%=a", "?a",
    ])
    func refuses(text: String) {
        #expect(throws: HTTPError.self) { try RequestTarget(text.utf8) }
    }

    @Test func routesAreFoundInOrder() throws {
        let routes = [
            Route("GET", "/items/new") { _ in .text("new") }, Route("GET", "/items/{id}") { _ in .text("any") },
            Route("DELETE", "/items/{id}") { _ in .text("gone") }, Route("GET", "/") { _ in .text("root") },
        ]
        let router = Router(routes: routes)
        #expect(try router.route(method: "GET", segments: ["items", "new"]).parameters == [:])
        #expect(try router.route(method: "HEAD", segments: ["items", "x"]).parameters == ["id": "x"])
        #expect(try router.route(method: "DELETE", segments: ["items", "new"]).parameters == ["id": "new"])
        #expect(try router.route(method: "GET", segments: [""]).parameters == [:])
        #expect {
            try router.route(method: "PATCH", segments: ["items", "new"])
        } throws: {
            ($0 as? HTTPError)?.headers["Allow"] == "DELETE, GET, HEAD"
        }
        #expect(throws: HTTPError.self) { try router.route(method: "GET", segments: ["items", ""]) }
    }
}
