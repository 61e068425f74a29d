import Evaluation
import Foundation

/// A page of one evaluation: scores, the worst and the best captions by CIDEr-D, and all others. It needs no other file but
/// the pictures, which it names by relative paths.
struct EvaluationReport {
    /// How many of the worst and of the best are shown first.
    static let cases = 20

    var result: EvaluationResult
    /// The folder of the pictures; nil shows none.
    var images: String?
    /// Where the page will lie.
    var page: String

    func html() -> String {
        let sorted = result.images.sorted { ($0.scores.ciderD, $0.image) < ($1.scores.ciderD, $1.image) }
        let scores = Metric.allCases.compactMap { metric in
            result.score(metric).map { score in
                "<tr><th scope=\"row\">\(Self.escape(metric.rawValue))</th><td>\(EvaluationText.number(score.value))</td>"
                    + "<td>\(EvaluationText.number(score.interval.lower)) to \(EvaluationText.number(score.interval.upper))</td></tr>"
            }
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Captions of \(Self.escape(result.captioner))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            <h1>Captions of \(Self.escape(result.captioner))</h1>
            <p>\(result.images.count) images. \(Self.escape(result.signature))</p>
            <table>
            <thead><tr><th scope="col">Measure</th><th scope="col">Score</th><th scope="col">95% interval</th></tr></thead>
            <tbody>
            \(scores.joined(separator: "\n"))
            </tbody>
            </table>
            <h2>The worst by CIDEr-D</h2>
            \(list(sorted.prefix(Self.cases)))
            <h2>The best by CIDEr-D</h2>
            \(list(sorted.suffix(Self.cases).reversed()))
            <h2>All images, from the worst to the best</h2>
            <details><summary>Show all \(sorted.count)</summary>
            \(list(sorted))
            </details>
            </main>
            </body>
            </html>

            """
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#fff;color:#1b1b1b}
        main{max-width:72rem;margin:auto;padding:1rem}
        h1{font-size:1.3rem;overflow-wrap:anywhere}p{overflow-wrap:anywhere}
        table{border-collapse:collapse}th,td{padding:.15rem .8rem;text-align:right;border-bottom:1px solid #ccc}
        th:first-child{text-align:left}
        .cases{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem;padding:0;list-style:none}
        .cases>li{border:1px solid #ccc;border-radius:.4rem;padding:.6rem}
        img{width:100%;height:14rem;object-fit:contain;background:#eee}
        .caption{font-weight:600;margin:.3rem 0}.scores,.name{color:#555;font-size:.85rem;margin:.2rem 0;overflow-wrap:anywhere}
        .references{margin:0;padding-left:1.1rem;font-size:.9rem}
        @media(prefers-color-scheme:dark){body{background:#161616;color:#eee}.scores,.name{color:#aaa}img{background:#333}}
        """

    private func list(_ images: some Sequence<EvaluationResult.Image>) -> String {
        "<ul class=\"cases\">\n" + images.map(item).joined(separator: "\n") + "\n</ul>"
    }

    private func item(_ image: EvaluationResult.Image) -> String {
        let references = image.references.map { "<li>\(Self.escape($0))</li>" }.joined()
        let scores =
            "CIDEr-D \(EvaluationText.number(image.scores.ciderD)), "
            + "ROUGE-L \(EvaluationText.number(image.scores.rougeL)), BLEU-1 \(EvaluationText.number(image.bleu.first ?? 0))"
        let picture = source(of: image.image).map {
            "<img src=\"\(Self.escape($0))\" alt=\"\(Self.escape(image.caption))\" loading=\"lazy\">"
        }
        return
            "<li>\(picture ?? "")<p class=\"caption\">\(Self.escape(image.caption))</p><p class=\"scores\">\(scores)</p>"
            + "<ul class=\"references\">\(references)</ul><p class=\"name\">\(Self.escape(image.image))</p></li>"
    }

    /// The picture's address, relative to the page.
    func source(of image: String) -> String? {
        guard let images else { return nil }
        let picture = URL(fileURLWithPath: images).appendingPathComponent(image).standardizedFileURL.pathComponents
        let folder = URL(fileURLWithPath: page).deletingLastPathComponent().standardizedFileURL.pathComponents
        let common = zip(picture, folder).prefix { $0 == $1 }.count
        let up = Array(repeating: "..", count: folder.count - common)
        // The first part could otherwise be taken for a scheme: `a:b.jpg`.
        return (["."] + up + picture[common...].map(Self.percentEncoded)).joined(separator: "/")
    }

    private static func percentEncoded(_ part: String) -> String {
        part.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
