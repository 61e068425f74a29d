@testable import Inference

private let file = ScratchFile("encoder.onnx")
/// Data for tensors that lie outside the ONNX file.
private let external: ScratchFile = {
    let data = ScratchFile("weights.bin", beside: file)
    [UInt8](repeating: 0x3C, count: 4096).withUnsafeBytes { data.write($0) }
    return data
}()

/// One ONNX file: the import, and where that succeeds with a graph of little work, its plan and one run of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = external
    file.write(UnsafeRawBufferPointer(start: bytes, count: count))
    do {
        let (graph, weights) = try GraphImporter.importEncoder(path: file.path, height: 7, width: 9)
        guard isSmall(graph), weights.values.reduce(0, { $0 + $1.values.count }) <= 1 << 16 else { return 0 }
        let encoder = try Encoder(graph: graph) { name in
            guard let weight = weights[name] else { fatalError("the graph names no weight of its own") }
            return weight
        }
        run(encoder)
    } catch let error as ModelError {
        guard !error.message.isEmpty else { fatalError("an error without a message") }
    } catch {
        fatalError("an error of another kind: \(error)")
    }
    return 0
}
