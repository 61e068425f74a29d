import Foundation
import TestSupport
import Testing

@testable import Evaluation

struct EvaluationResultTests {
    private let bootstrap = Bootstrap(resamples: 100)

    private func result(_ captions: [String], references: [[String]]? = nil, reversed: Bool = false) -> EvaluationResult
    {
        let references =
            references ?? [["A red boat.", "A boat"], ["Two dogs run.", "Dogs"], ["Snow falls.", "It snows!"]]
        var rows = captions.indices.map { (image: "\($0).jpg", caption: captions[$0], references: references[$0]) }
        if reversed { rows.reverse() }
        return EvaluationResult(captioner: "test", captions: rows, bootstrap: bootstrap)
    }

    private let captions = ["a red boat", "two dogs play", "snow on a hill"]

    @Test func survivesItsFile() throws {
        let result = result(captions)
        let folder = try TemporaryDirectory()
        let file = try folder.write("result.json", result.json())
        #expect(try EvaluationResult(path: file.path) == result)
        #expect(
            result.images.map(\.image) == ["0.jpg", "1.jpg", "2.jpg"] && result.scores.count == Metric.allCases.count)
    }

    @Test func signatureSaysHow() {
        let signature = result(captions).signature
        #expect(
            signature.hasPrefix("images:3|refs:2|refs-fnv1a:") && signature.contains("|cider-d:n4-sigma6-df-corpus|"))
        // Another order of the images is the same corpus, other references are not.
        #expect(result(captions, reversed: true).signature == signature)
        #expect(result(captions, references: [["A"], ["B"], ["C", "D"]]).signature.contains("|refs:1-2|"))
        let given = EvaluationResult(
            captioner: "t", captions: [("0.jpg", "a", ["b"])], documents: [["a"]], documentsName: "train.txt:1",
            bootstrap: bootstrap)
        #expect(given.signature.contains("-df-train.txt:1|"))
    }

    @Test func comparesImageByImage() throws {
        let first = result(captions)
        let second = result(["a boat", "dogs", "two cats"], reversed: true)
        let differences = try EvaluationResult.compare(first, second, bootstrap: bootstrap)
        #expect(differences[.rougeL]?.first == first.score(.rougeL)?.value)
        #expect(differences[.rougeL]?.second.isNear(try #require(second.score(.rougeL)).value) == true)
        let none = try EvaluationResult.compare(first, result(captions, reversed: true), bootstrap: bootstrap)
        #expect(none.values.allSatisfy { abs($0.difference) < 1e-12 })
    }

    @Test func refusesToCompareWhatIsNotComparable() {
        let first = result(captions)
        #expect(throws: CaptionFileError.self) {
            try EvaluationResult.compare(
                first, result(captions, references: [["A"], ["B"], ["C"]]), bootstrap: bootstrap)
        }
        var other = result(captions)
        other.images[1].image = "another.jpg"
        #expect(throws: CaptionFileError.self) { try EvaluationResult.compare(first, other, bootstrap: bootstrap) }
        other.images[1].image = other.images[0].image
        #expect(throws: CaptionFileError.self) { try EvaluationResult.compare(first, other, bootstrap: bootstrap) }
    }

    @Test func refusesDamagedFiles() throws {
        let folder = try TemporaryDirectory()
        let text = String(decoding: try result(captions).json(), as: UTF8.self)
        for (index, damaged) in [
            "{}", "", String(text.dropLast(40)), text.replacing("kaption-evaluation/1", with: "kaption-evaluation/9"),
            text.replacing(try Regex(#""total" : \[\s*\d+,"#), with: "\"total\" : ["),
        ].enumerated() {
            let file = try folder.write("\(index).json", Data(damaged.utf8))
            #expect(throws: CaptionFileError.self, "\(index)") { try EvaluationResult(path: file.path) }
        }
    }
}
