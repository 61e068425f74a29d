import Evaluation
import Foundation
import TestSupport
import Testing

@testable import ModelTool

@Suite("kaption-model evaluate")
struct EvaluateCommandTests {
    private let program = ChildProcess.product("kaption-model")
    private let model = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path
    private let references = """
        a.jpg#0\tA red boat lies at the pier .
        a.jpg#1\tA boat
        b.jpg#0\tTwo dogs run in the grass .
        b.jpg#1\tDogs run
        c.jpg#0\tNobody asked for this .
        """

    private func run(_ arguments: String...) throws -> String {
        String(decoding: try ChildProcess.run(program, ["evaluate"] + arguments), as: UTF8.self)
    }

    @Test func scoresCaptionsMadeElsewhere() throws {
        let folder = try TemporaryDirectory()
        let references = try folder.write("references.txt", Data(references.utf8)).path
        let first = try folder.write(
            "first.txt", Data("a.jpg\ta red boat at the pier\nb.jpg\ttwo dogs run in the grass\n".utf8))
        let second = try folder.write(
            "second.jsonl",
            Data(#"{"image": "x/b.jpg", "caption": "a cat"}\#n{"image": "x/a.jpg", "caption": "a boat"}"#.utf8))
        let paths = ["first", "second"].map { folder.url.appendingPathComponent("\($0).json").path }
        let text = try run(
            "--hypotheses", first.path, "--references", references, "--output", paths[0], "--resamples", "100")
        #expect(text.contains("2 images") && text.contains("BLEU-4") && text.contains("signature images:2|refs:2|"))
        let json = try run(
            "--hypotheses", second.path, "--references", references, "--output", paths[1], "--resamples", "100",
            "--json")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["images"] as? Int == 2 && (object["scores"] as? [String: Any])?["CIDEr-D"] != nil)

        // The same images by whatever name of the same split.
        let split = try folder.write("split.txt", Data("a.jpg\nb.jpg\n".utf8)).path
        _ = try run(
            "--hypotheses", second.path, "--references", references, "--split", split, "--output", paths[1],
            "--resamples", "100")
        let comparison = try run("--compare", paths[0], paths[1], "--resamples", "100")
        #expect(
            comparison.contains("B − A") && comparison.contains("A  first.txt")
                && comparison.contains("B  second.jsonl"))
    }

    @Test func captionsAndScoresWithAModel() throws {
        let folder = try TemporaryDirectory()
        for name in ["a.jpg", "b.jpg"] {
            try folder.write("pictures/\(name)", TestPicture.png(width: 40, height: 30, seed: UInt64(name.utf8.count)))
        }
        let references = try folder.write("references.txt", Data(references.utf8)).path
        let split = try folder.write("split.txt", Data("a.jpg\nb.jpg\n".utf8)).path
        let output = folder.url.appendingPathComponent("scores.json").path
        let page = folder.url.appendingPathComponent("pages/report.html")
        try FileManager.default.createDirectory(at: page.deletingLastPathComponent(), withIntermediateDirectories: true)
        let text = try run(
            "--model", model, "--images", folder.url.appendingPathComponent("pictures").path, "--references",
            references,
            "--split", split, "--beam", "2", "--resamples", "100", "--output", output, "--report", page.path)
        #expect(text.hasPrefix("kaption-small"))
        let result = try EvaluationResult(path: output)
        let picture = folder.url.appendingPathComponent("pictures/a.jpg").path
        let caption = String(
            decoding: try ChildProcess.run(program, ["caption", "--model", model, "--beam", "2", picture]),
            as: UTF8.self)
        #expect(caption == "\(picture)\t\(result.images[0].caption)\n" && result.captioner.hasSuffix("beam 2"))
        let html = try String(contentsOf: page, encoding: .utf8)
        #expect(html.contains("src=\"./../pictures/a.jpg\"") && html.contains(result.images[1].caption))
    }

    @Test(
        "Exit codes",
        arguments: [
            (["--references", "references.txt"], 2), (["--hypotheses", "hypotheses.txt"], 2), (["stray.json"], 2),
            (["--compare", "one.json"], 2), (["--compare", "hypotheses.txt", "missing.json"], 1),
            (["--hypotheses", "hypotheses.txt", "--model", "m", "--references", "references.txt"], 2),
            (["--model", "m", "--references", "references.txt"], 2),
            (["--hypotheses", "hypotheses.txt", "--references", "references.txt", "--beam", "3"], 2),
            (["--compare", "one.json", "two.json", "--output", "three.json"], 2),
            (["--model", "/nonexistent", "--images", ".", "--references", "references.txt"], 4),
            (["--hypotheses", "missing.txt", "--references", "references.txt"], 1),
            // No such image, two captions of one, no caption of one that the split names.
            (["--hypotheses", "unknown.txt", "--references", "references.txt"], 1),
            (["--hypotheses", "references.txt", "--references", "references.txt"], 1),
            (["--hypotheses", "hypotheses.txt", "--references", "references.txt", "--split", "split.txt"], 1),
            (
                [
                    "--hypotheses", "hypotheses.txt", "--references", "references.txt", "--output",
                    "no/such/folder.json",
                ], 1
            ),
            (["--model", "MODEL", "--images", ".", "--references", "references.txt"], 1),
        ])
    func exitCodes(arguments: [String], code: Int) throws {
        let folder = try TemporaryDirectory()
        try folder.write("references.txt", Data(references.utf8))
        try folder.write("hypotheses.txt", Data("a.jpg\ta boat\n".utf8))
        try folder.write("unknown.txt", Data("z.jpg\ta boat\n".utf8))
        try folder.write("split.txt", Data("a.jpg\nb.jpg\n".utf8))
        let arguments = arguments.map { argument in
            switch argument {
            case "MODEL": model
            case ".": folder.url.path
            default:
                argument.contains(".") || argument.contains("/") && !argument.hasPrefix("/")
                    ? folder.url.appendingPathComponent(argument).path : argument
            }
        }
        let errors = folder.url.appendingPathComponent("errors")
        #expect(try ChildProcess(program, ["evaluate"] + arguments, errors: errors).wait() == Int32(code))
        #expect(try String(contentsOf: errors, encoding: .utf8).contains("kaption-model"))
    }

    @Test func reportEscapesWhatItShows() {
        let result = EvaluationResult(
            captioner: "<i>", captions: [("a\"b&'/ü#?.jpg", "<script>alert(1)</script>", ["x & <y>"])],
            bootstrap: .init(resamples: 100))
        let html = EvaluationReport(result: result, images: "/pictures/a b", page: "/pages/r.html").html()
        #expect(!html.contains("<script") && !html.contains("<i>") && html.contains("&lt;script&gt;alert(1)"))
        #expect(html.contains("<li>x &amp; &lt;y&gt;</li>"))
        #expect(html.contains("src=\"./../pictures/a%20b/a%22b%26%27/%C3%BC%23%3F.jpg\""))
        #expect(EvaluationReport(result: result, images: nil, page: "r.html").source(of: "a.jpg") == nil)
    }
}
