import Foundation
import Testing

@testable import Training

@Suite("Datasets")
struct CaptionDatasetTests {
    private func read(_ text: String) throws -> CaptionDataset {
        try CaptionDataset(name: "file", data: Data(text.utf8))
    }

    private func refusal(_ text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch { return (error as? TrainingError)?.message ?? "\(error)" }
    }

    @Test func tokens() throws {
        let dataset = try read("a.jpg#0\tA dog .\nb.jpg#0\tTwo cats\na.jpg#1\tThe dog runs\n")
        #expect(dataset.images.map(\.name) == ["a.jpg", "b.jpg"])
        #expect(dataset.images[0].captions == ["A dog .", "The dog runs"])
    }

    @Test func commaSeparatedValues() throws {
        let text =
            "\u{FEFF}image,caption\r\na.jpg,A dog .\r\nb.jpg,\"A \"\"big\"\" cat, and\na mouse\"\r\n\r\na.jpg,Runs\n"
        let dataset = try read(text)
        #expect(dataset.images.map(\.name) == ["a.jpg", "b.jpg"])
        #expect(dataset.images.map(\.captions) == [["A dog .", "Runs"], ["A \"big\" cat, and\na mouse"]])
        let swapped = try read("\"caption\",\"image\"\nA dog,a.jpg")
        #expect(swapped.images == [.init(name: "a.jpg", captions: ["A dog"], split: nil)])
    }

    @Test func coco() throws {
        let dataset = try read(
            #"{"images": [{"id": 7, "file_name": "x.jpg"}, {"id": 8, "file_name": "y.jpg"}], "annotations": ["#
                + #"{"image_id": 7, "id": 1, "caption": "A dog"}, {"image_id": 8, "caption": "A cat"}, {"image_id": 7, "caption": "Runs"}]}"#
        )
        #expect(dataset.images.map(\.name) == ["x.jpg", "y.jpg"] && dataset.images[0].captions == ["A dog", "Runs"])
    }

    @Test func karpathy() throws {
        let dataset = try read(
            #"{"images": [{"filename": "a.jpg", "split": "train", "sentences": [{"raw": "A dog.", "tokens": ["a", "dog"]}]},"#
                + #"{"filename": "b.jpg", "filepath": "val2014", "split": "restval", "sentences": [{"raw": "B"}]},"#
                + #"{"filename": "c.jpg", "split": "val", "sentences": [{"raw": "C"}]},"#
                + #"{"filename": "d.jpg", "split": "test", "sentences": [{"raw": "D"}]}], "dataset": "x"}"#)
        let (train, development) = try dataset.splits(train: nil, development: nil)
        #expect(train.images == ["a.jpg", "val2014/b.jpg"] && train.captions == [["A dog."], ["B"]])
        #expect(development.images == ["c.jpg"])
        // One list leaves to the other side what the file says.
        let learned = try dataset.splits(train: ["a.jpg", "c.jpg"], development: nil)
        #expect(learned.train.images == ["a.jpg", "c.jpg"] && learned.development.images.isEmpty)
        #expect(try dataset.splits(train: ["a.jpg"], development: nil).development.images == ["c.jpg"])
        let held = try dataset.splits(train: nil, development: ["a.jpg"])
        #expect(held.train.images == ["val2014/b.jpg"] && held.development.images == ["a.jpg"])
    }

    @Test func lists() throws {
        let dataset = try read((0..<30).map { "\($0).jpg#0\tdog \($0)\n" }.joined())
        let (train, development) = try dataset.splits(train: ["3.jpg", "1.jpg"], development: ["x/2.jpg"])
        #expect(train.images == ["3.jpg", "1.jpg"] && development.captions == [["dog 2"]])
        let rest = try dataset.splits(train: nil, development: ["0.jpg"])
        #expect(rest.train.images.count == 29 && !rest.train.images.contains("0.jpg"))
        let held = try dataset.splits(train: nil, development: nil)
        #expect(held.development.images.count == 3 && held.train.images.count == 27)
        #expect(try dataset.splits(train: nil, development: nil).development == held.development)
        for (lists, part) in [
            ((["x"], ["1.jpg"]), "--train-split names 'x'"), ((["1.jpg"], ["1.jpg"]), "in --dev-split"),
        ] {
            let error = #expect(throws: TrainingError.self) {
                try dataset.splits(train: lists.0, development: lists.1)
            }
            #expect(error?.message.contains(part) == true)
        }
    }

    @Test(
        "Hostile files are refused with the place",
        arguments: [
            ("", "no captions"), ("image,caption\n", "no captions"),
            ("image,caption\na.jpg,one,two\n", "line 2 has 3 fields"),
            ("image,caption\na.jpg,\"never ends\n", "line 2: a quoted field that does not end"),
            ("image,caption\na.jpg,\"a\"b\n", "line 2: a quotation mark"),
            ("image,caption\n,nothing\n", "names no image"),
            ("a.jpg no tab", "line 1"), ("{\"images\": 3}", "another type"), ("{", "not the JSON"),
            ("{\"images\": [{}]}", "neither file_name nor filename"), ("{\"annotations\": []}", "'images' is missing"),
            (
                #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 2, "caption": "x"}]}"#,
                "'images' lacks"
            ),
            (#"{"images": [{"filename": "a", "sentences": [{}]}]}"#, "'raw' is missing"),
            (String(repeating: "{\"images\":[", count: 100_000), "JSON"),
        ])
    func hostile(text: String, reason: String) {
        #expect(refusal(text)?.contains(reason) == true, "\(refusal(text) ?? "accepted")")
    }

    @Test func notUTF8() {
        let error = #expect(throws: TrainingError.self) {
            try CaptionDataset(name: "file", data: Data([0x61, 0xFF, 0x09, 0x62]))
        }
        #expect(error?.message == "file: not a text in UTF-8")
    }

    /// Whatever is cut off or changed, there is an answer.
    @Test func mutatedFiles() throws {
        var random = RandomStream(seed: 9, .order)
        let seeds = [
            "image,caption\na.jpg,\"A \"\"big\"\" cat\"\nb.jpg,x\n",
            #"{"images": [{"id": 7, "file_name": "x.jpg"}], "annotations": [{"image_id": 7, "caption": "A dog"}]}"#,
            "a.jpg#0\tA dog .\nb.jpg#0\tTwo cats\n",
        ]
        for seed in seeds {
            for _ in 0..<300 {
                var bytes = Array(seed.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = try? CaptionDataset(
                    name: "f", data: Data(bytes.prefix(Int.random(in: 1...bytes.count, using: &random))))
            }
        }
    }
}
