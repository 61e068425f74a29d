/// How an encoder's values are written as 8-bit integers: value q stands for (q − zero point) · scale. `kaption-model quantize` measures
/// it on sample images. Values are named by their index in the graph; only those need an edge that are stored between layers.
public struct Quantisation: Codable, Sendable, Equatable {
    public struct Edge: Codable, Sendable, Equatable {
        public var value: Int
        public var scale: Float
        public var zeroPoint: Int

        public init(value: Int, scale: Float, zeroPoint: Int) {
            self.value = value
            self.scale = scale
            self.zeroPoint = zeroPoint
        }

        enum CodingKeys: String, CodingKey {
            case value, scale
            case zeroPoint = "zero_point"
        }
    }

    /// What was measured, and how.
    public struct Calibration: Codable, Sendable, Equatable {
        public var images: Int
        public var method: String
        /// How far the features of int8 are from those of fp32, relative to their length, in the mean over some of the images.
        public var featureError: Double

        public init(images: Int, method: String, featureError: Double) {
            self.images = images
            self.method = method
            self.featureError = featureError
        }

        enum CodingKeys: String, CodingKey {
            case images, method
            case featureError = "feature_error"
        }
    }

    public var edges: [Edge]
    /// Values whose layers are computed in floats: of any node that is part of the layer.
    public var wide: [Int]
    /// Whether what a convolution adds at its end (a residual) stays in floats from where it is made; its other readers get it rounded.
    public var floatSums: Bool
    public var calibration: Calibration
    /// What rounding the weights adds to each output channel of a convolution in the mean, by the name of its weights; it is taken off the
    /// bias. Kept in a file of its own, `corrections.safetensors`.
    public var corrections: [String: [Float]] = [:]

    enum CodingKeys: String, CodingKey {
        case edges, wide
        case floatSums = "float_sums"
        case calibration
    }

    public init(edges: [Edge], wide: [Int] = [], floatSums: Bool = false, calibration: Calibration) {
        self.edges = edges
        self.wide = wide
        self.floatSums = floatSums
        self.calibration = calibration
    }
}

extension Quantisation {
    func validate(graph: Graph) throws(ModelError) {
        let values = 0...graph.nodes.count
        var seen: Set<Int> = []
        for edge in edges {
            guard values.contains(edge.value), seen.insert(edge.value).inserted else {
                throw ModelError("quantisation: there is no value \(edge.value), or it comes twice")
            }
            guard edge.scale.isFinite, edge.scale >= Float.leastNormalMagnitude, edge.scale <= 1e30,
                (0...255).contains(edge.zeroPoint)
            else {
                throw ModelError(
                    "quantisation: value \(edge.value) has the scale \(edge.scale) and the zero point \(edge.zeroPoint)"
                )
            }
        }
        guard wide.allSatisfy(values.contains) else { throw ModelError("quantisation: a wide value does not exist") }
    }
}
