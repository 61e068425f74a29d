import Foundation
import TestSupport
import Testing

@testable import Evaluation

struct CaptionFileTests {
    private func file(_ text: String) throws -> CaptionFile { try CaptionFile(name: "f", data: Data(text.utf8)) }

    @Test func readsTokenFiles() throws {
        let file = try file("b.jpg#0\tA b .\r\nb.jpg#1\tB .\na#b.jpg#0\tOdd\n\nc.jpg\tone\ttwo\n")
        #expect(file.images == ["b.jpg", "a#b.jpg", "c.jpg"])
        #expect(file.captions(of: "b.jpg") == ["A b .", "B ."])
        #expect(file.captions(of: "c.jpg") == ["one"])
        #expect(file.captions(of: "d.jpg") == nil)
    }

    @Test func readsJSONLines() throws {
        let file = try file(
            """
            {"image": "x/a.jpg", "caption": "one", "status": "ok"}
            {"image": "b.jpg", "captions": ["two", "three"]}

            {"image": "b.jpg", "caption": "four"}
            """)
        #expect(file.images == ["x/a.jpg", "b.jpg"])
        #expect(file.captions(of: "a.jpg") == ["one"])
        #expect(file.captions(of: "folder/b.jpg") == ["two", "three", "four"])
    }

    @Test func readsCOCO() throws {
        let results = try file(#"[{"image_id": 42, "caption": "a cat"}, {"image_id": "dog.jpg", "caption": "a dog"}]"#)
        #expect(results.images == ["42", "dog.jpg"])
        let annotations = try file(
            #"""
            {"info": {}, "images": [{"id": 42, "file_name": "val2014/cat.jpg", "height": 3}],
             "annotations": [{"id": 1, "image_id": 42, "caption": "A cat."}, {"id": 2, "image_id": 42, "caption": "Cats"}]}
            """#)
        #expect(annotations.captions(of: "42") == ["A cat.", "Cats"])
        #expect(annotations.captions(of: "cat.jpg") == ["A cat.", "Cats"])
        #expect(annotations.captions(of: "images/cat.jpg") == ["A cat.", "Cats"])
    }

    @Test func anAmbiguousFileNameIsNone() throws {
        let file = try file("a/x.jpg\tone\nb/x.jpg\ttwo\n")
        #expect(file.captions(of: "x.jpg") == nil && file.captions(of: "b/x.jpg") == ["two"])
    }

    @Test(
        "Says what is wrong",
        arguments: [
            ("", "no captions"), ("no tab here\n", "line 1"), ("a.jpg\tx\n\tno image\n", "line 2"),
            ("[{\"image_id\": 1}]", "'caption'"),
            ("{\"image\": \"a\"}", "neither"), ("{\"image\": \"a\", \"caption\": \"b\"}\n{oops}\n", "line 2"),
            ("[[[[", "JSON"), ("{\"annotations\": 5}", "annotations"),
            ("[{\"image_id\": {}, \"caption\": \"a\"}]", "type"),
            (String(repeating: "[", count: 100_000), "JSON"),
        ])
    func refuses(text: String, message: String) {
        let error = #expect(throws: CaptionFileError.self) { try file(text) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func refusesWhatIsNoText() throws {
        #expect(throws: CaptionFileError.self) { try CaptionFile(name: "f", data: Data([0xFF, 0xFE, 9, 65])) }
        #expect(throws: CaptionFileError.self) { try CaptionFile(path: "/nowhere/captions") }
        let folder = try TemporaryDirectory()
        let twice = try folder.write("split", Data("a.jpg\na.jpg\n".utf8))
        #expect(throws: CaptionFileError.self) { try SplitFile.images(path: twice.path) }
        let good = try folder.write("good", Data("b.jpg\r\n\n a.jpg \n".utf8))
        #expect(try SplitFile.images(path: good.path) == ["b.jpg", "a.jpg"])
    }
}
