import Foundation
import TestSupport
import Testing

@testable import Evaluation

@Suite("Tokens of the Penn Treebank, against Stanford's")
struct TokenizerTests {
    /// Full stops are left out: the original adds one after an abbreviation that seems to end a sentence.
    @Test func agreesOnSentencesOfManyKinds() throws {
        let sentences = try GoldenMetrics.load().sentences
        #expect(sentences.count > 130)
        for sentence in sentences {
            let tokens = PennTreebankTokenizer.tokens(of: sentence.text).filter { $0 != "." }
            #expect(tokens == split(sentence.tokens).filter { $0 != "." })
        }
    }

    @Test func agreesOnCaptionsAfterPunctuationIsGone() throws {
        for image in try GoldenMetrics.load().captions {
            let texts = [image.caption] + image.captions
            #expect(texts.map(CaptionTokenizer.words) == ([image.tokens] + image.referenceTokens).map(split))
        }
    }

    @Test("Any bytes give tokens without spaces, and end")
    func survivesNoise() {
        var generator = SeededGenerator(7)
        let alphabet = Array("aBs'\"`-–.…,:;!?()<>/&#@*_$£% 0129\t\u{2019}\u{AD}\u{301}\u{200D}é日😀=^D".unicodeScalars)
        for _ in 0..<3000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                text.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            let tokens = PennTreebankTokenizer.tokens(of: String(text))
            #expect(tokens.allSatisfy { !$0.isEmpty && !$0.contains(" ") }, "\(String(text).debugDescription)")
        }
    }

    /// Were it not linear, this would not end.
    @Test("Takes time in proportion to a caption's length")
    func isLinear() {
        for part in ["a", "a-", "'", "<", "&", "1.", ".", "a'", "x_", "<a ", "1,a-", "a.-", "A. "] {
            #expect(!PennTreebankTokenizer.tokens(of: String(repeating: part, count: 300_000)).isEmpty)
        }
    }

    @Test(
        "The same tokens as Stanford's on the 35,000 captions of Flickr8k",
        .enabled(if: SharedFiles.isPresent, "shared/ is absent"))
    func agreesOnFlickr8k() throws {
        let golden = try GoldenMetrics.load().flickr8k
        let text = try String(contentsOf: SharedFiles.url("flickr8k/Flickr8k.token.txt"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { line in
            CaptionTokenizer.words(of: String(line.split(separator: "\t", maxSplits: 1)[1]))
        }
        #expect(lines.count == golden.captions)
        #expect(lines.reduce(0) { $0 + $1.count } == golden.tokens)
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for line in lines {
            for byte in line.joined(separator: " ").utf8 + [10] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        #expect(String(hash, radix: 16) == String(golden.tokensDigest.drop { $0 == "0" }))
    }
}
