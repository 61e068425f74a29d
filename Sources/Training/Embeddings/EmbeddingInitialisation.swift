/// Puts word vectors into a decoder's embedding.
public struct EmbeddingInitialisation: Sendable, Equatable {
    /// Words of the vocabulary that have a vector, and all of them but the special ones.
    public var found = 0
    public var words = 0
    public var vectorSize = 0
    public var embeddingSize = 0

    /// Words without a vector get random numbers with the mean and deviation that the vectors have in each dimension. Where the
    /// embedding has another size than the vectors, all are multiplied by one random matrix that keeps their scale, and their angles nearly
    /// (Johnson and Lindenstrauss, 1984).
    public init(
        _ source: WordVectors, words table: WordTable, into parameters: DecoderParameters, seed: UInt64
    ) {
        let (size, embedding) = (source.size, parameters.shape.embedding)
        (vectorSize, embeddingSize) = (size, embedding)
        var (sum, squares) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size))
        // In the vocabulary's order, so that the sums have the same bits in every run.
        let known = table.words.compactMap { source.vectors[$0] }
        for vector in known {
            for (index, value) in vector.enumerated() {
                sum[index] += Double(value)
                squares[index] += Double(value) * Double(value)
            }
        }
        let count = Double(max(known.count, 1))
        let means = sum.map { Float($0 / count) }
        let deviations = zip(squares, sum).map { Float(max($0 / count - $1 * $1 / count / count, 0).squareRoot()) }

        var projection: [Float] = []
        if size != embedding {
            var random = RandomStream(seed: seed, .projection)
            let scale = 1 / Float(size).squareRoot()
            projection = (0..<size * embedding).map { _ in random.normal() * scale }
        }
        let product = MatrixProduct(team: ThreadTeam(threads: 1))
        var random = RandomStream(seed: seed, .embeddings)
        for (word, text) in table.words.enumerated() {
            let drawn = (0..<size).map { means[$0] + deviations[$0] * random.normal() }
            let isSpecial = WordTable.specialWords.contains(text)
            if !isSpecial { words += 1 }
            let vector = source.vectors[text] ?? drawn
            if source.vectors[text] != nil, !isSpecial { found += 1 }
            let row = parameters[.embedding] + word * embedding
            if projection.isEmpty {
                vector.withUnsafeBufferPointer { if let base = $0.baseAddress { row.update(from: base, count: size) } }
            } else {
                product.multiply(1, embedding, size, vector, projection, to: row)
            }
        }
    }

    /// A line for a person.
    public var line: String {
        let share = (Double(found) / Double(max(words, 1)) * 1000).rounded() / 10
        let projected =
            vectorSize == embeddingSize ? "" : ", projected from \(vectorSize) to \(embeddingSize) numbers"
        return "embeddings   \(found) of \(words) words have a vector (\(share)%)\(projected)"
    }
}
