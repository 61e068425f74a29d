/// Which operator is lowered how. An operator that is not listed is refused by name.
extension GraphImporter {
    mutating func lower(_ node: ONNXNode) throws(ModelError) -> [ImportedValue] {
        switch node.operation {
        case "Conv": [.activation(try lowerConvolution(node))]
        case "Gemm": [.activation(try lowerGemm(node))]
        case "MatMul": [.activation(try lowerMatMul(node))]
        case "BatchNormalization": [.activation(try lowerBatchNormalization(node))]
        case "Add", "Sub", "Mul", "Div", "Sum": [.activation(try lowerArithmetic(node))]
        case "Max", "Min": [.activation(try lowerLimit(node))]
        case "Relu", "Sigmoid", "HardSigmoid", "HardSwish", "Gelu", "Clip", "Erf", "Neg":
            [.activation(try lowerActivation(node))]
        case "MaxPool", "AveragePool": [.activation(try lowerPool(node))]
        case "GlobalAveragePool", "GlobalMaxPool": [.activation(try lowerGlobalPool(node))]
        case "ReduceMean": [.activation(try lowerReduceMean(node))]
        case "Pad": [.activation(try lowerPad(node))]
        case "Concat": [.activation(try lowerConcat(node))]
        case "Gather": [.activation(try lowerGather(node))]
        case "Slice": [.activation(try lowerSlice(node))]
        case "Split": try lowerSplit(node).map { .activation($0) }
        case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand":
            [.activation(try lowerLayout(node))]
        case "Identity", "Dropout", "Cast": [.activation(try lowerIdentity(node))]
        case "Shape": [.constant(try lowerShape(node))]
        default: throw node.refused("not supported")
        }
    }

    private func lowerIdentity(_ node: ONNXNode) throws(ModelError) -> ActivationValue {
        if node.operation == "Cast" {
            let type = ONNXTensor.ElementType(rawValue: try node.integer("to", default: 0))
            guard type?.isFloat == true else { throw node.refused("of the image to a type that is no float") }
        }
        if node.operation == "Dropout", let mode = try constant(node, 2),
            try mode.knownIntegers({ node.refused($0) }) != [0]
        {
            throw node.refused("in training mode")
        }
        return try activation(node, 0)
    }

    /// The dimensions of a value; the batch's stays open.
    func dimensions(of activation: ActivationValue) -> [ConstantTensor.Integer] {
        let shape = lowered.shape(of: activation.value)
        return activation.axes.map { axis in
            ActivationValue.size(of: axis, in: shape).map { .known(Int64($0)) } ?? .batch
        }
    }

    private func lowerShape(_ node: ONNXNode) throws(ModelError) -> ConstantTensor {
        ConstantTensor(integers: try call(node).shape(of: dimensions(of: activation(node, 0))))
    }
}
