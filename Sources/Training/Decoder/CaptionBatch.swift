/// One caption of a batch.
public struct BatchCaption: Sendable, Equatable {
    public var image: Int
    /// Which copy of the image's feature.
    public var copy: Int
    /// Without start and end.
    public var words: [Int32]
    /// Whether the end is to be learnt after the words; a sample that reached the limit of words has none.
    public var ends = true
    /// What its loss is multiplied by.
    public var weight: Float = 1

    public init(image: Int, copy: Int = 0, words: [Int32], ends: Bool = true, weight: Float = 1) {
        self.image = image
        self.copy = copy
        self.words = words
        self.ends = ends
        self.weight = weight
    }

    /// Words to predict.
    var targets: Int { words.count + (ends ? 1 : 0) }
}

/// Captions packed for the decoder without padding. Step 0 reads the images, step 1 the start token, step t the word t − 1. The captions
/// are sorted by length, the longest first, so that those still going on at a step are the first rows of it; the rows of
/// all steps lie one behind the other.
public struct CaptionBatch {
    public private(set) var captions: [BatchCaption] = []
    /// Rows of each step.
    private(set) var rows: [Int] = []
    /// Where each step's rows begin.
    private(set) var firsts: [Int] = []
    /// The different words read, by their first occurrence. Each is multiplied by the input weights once.
    private(set) var words: [Int32] = []
    /// For each row which input it reads: a place in `words`, or behind those the number of its image.
    private(set) var inputs: [Int] = []
    /// For each row from step 1 on the word to predict, and the weight of its loss.
    private(set) var targets: [Int32] = []
    private(set) var weights: [Float] = []
    private var places: [Int32: Int] = [:]

    public init() {}

    /// Rows of all steps.
    public var rowCount: Int { inputs.count }

    /// Takes the place of what was there.
    public mutating func pack(_ batch: [BatchCaption], start: Int, end: Int) {
        captions = batch.enumerated().sorted { ($1.element.targets, $0.offset) < ($0.element.targets, $1.offset) }
            .map(\.element)
        rows.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
        words.removeAll(keepingCapacity: true)
        inputs.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        let steps = captions.first?.targets ?? 0
        for step in 0...steps {
            firsts.append(inputs.count)
            let active = step == 0 ? captions.count : captions.prefix { $0.targets >= step }.count
            rows.append(active)
            for caption in captions.prefix(active) {
                guard step > 0 else {
                    inputs.append(0)
                    continue
                }
                inputs.append(place(of: step == 1 ? Int32(start) : caption.words[step - 2]))
                targets.append(step <= caption.words.count ? caption.words[step - 1] : Int32(end))
                weights.append(caption.weight)
            }
        }
        for image in captions.indices { inputs[image] = words.count + image }
    }

    private mutating func place(of word: Int32) -> Int {
        if let place = places[word] { return place }
        places[word] = words.count
        words.append(word)
        return words.count - 1
    }
}
