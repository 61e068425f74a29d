import Foundation
import TestSupport
import Testing

@testable import Inference

struct SafetensorsTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func open(_ data: Data) throws -> Safetensors {
        try Safetensors(MappedFile(path: folder.write("t.safetensors", data).path))
    }

    private func file(_ header: String, _ bytes: Int) -> Data {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
            + Data(count: bytes)
    }

    private let tensors: [String: WeightTensor] = [
        "b": WeightTensor(shape: [3], values: [1.1, -2.2, 3.3]),
        "a \"quoted\"": WeightTensor(shape: [2, 2], values: [0.1, 65504, -1e-7, 2049]),
        "large": WeightTensor(shape: [1, 2], values: [70000, 0.1]), "none": WeightTensor(shape: [0, 4], values: []),
        "scalar": WeightTensor(shape: [], values: [7]),
    ]

    @Test func keepsFloats() throws {
        let path = folder.url.path + "/w.safetensors"
        try SafetensorsWriter.write(tensors, precision: .f32, to: path)
        let read = try Safetensors(MappedFile(path: path))
        #expect(Set(read.entries.keys) == Set(tensors.keys))
        for (name, tensor) in tensors {
            #expect(try read.tensor(name).values == tensor.values)
            #expect(try read.tensor(name).shape == tensor.shape)
        }
        #expect(throws: ModelError.self) { try read.tensor("other") }
    }

    @Test func halvesMatricesOnly() throws {
        let path = folder.url.path + "/w.safetensors"
        try SafetensorsWriter.write(tensors, precision: .f16, to: path)
        let read = try Safetensors(MappedFile(path: path))
        // Known halves: 0.1 is 0x2e66, 1e-7 is subnormal, 2049 lies between 2048 and 2050 and goes to the even one.
        #expect(try read.tensor("a \"quoted\"").values == [0.0999755859375, 65504, -1.1920929e-7, 2048])
        for name in ["b", "large", "scalar"] { #expect(read.entries[name]?.type == .float32, "\(name)") }
        for entry in read.entries.values { #expect(entry.range.lowerBound % entry.type.size == 0) }
    }

    @Test func isReproducible() throws {
        for name in ["first", "second"] {
            try SafetensorsWriter.write(tensors, precision: .f16, to: folder.url.path + "/" + name)
        }
        #expect(
            try Data(contentsOf: folder.url.appendingPathComponent("first"))
                == Data(contentsOf: folder.url.appendingPathComponent("second")))
    }

    @Test func refusesAFileCutOffAnywhere() throws {
        let path = folder.url.path + "/w.safetensors"
        try SafetensorsWriter.write(tensors, precision: .f16, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0..<whole.count { #expect(throws: ModelError.self) { try open(whole.prefix(length)) } }
        #expect(throws: ModelError.self) { try open(whole + [0]) }
    }

    @Test func survivesChangedBytes() throws {
        let path = folder.url.path + "/w.safetensors"
        try SafetensorsWriter.write(tensors, precision: .f16, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        var random = RandomNumbers(seed: 5)
        for _ in 0..<2000 {
            var data = whole
            data[Int.random(in: 0..<data.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            guard let read = try? open(data) else { continue }
            for name in read.entries.keys { _ = try read.tensor(name) }
        }
    }

    @Test(arguments: [
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            "overlaps"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            "overlaps"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "gap"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "4 bytes after the last tensor"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "outside the file"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "outside the file"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, "outside the file"),
        (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "8 bytes for a shape of 12"),
        (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "malformed shape"),
        (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, "malformed shape"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#, "too large"),
        (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#, "malformed shape"),
        (#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, "type I64"),
        (#"{"a":{"dtype":"F32","shape":[2]}}"#, "missing"), (#"{"a":[]}"#, "missing"), ("[]", "no object"),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            "comes twice"
        ),
        (#"{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}"#, "comes twice"),
        ("{", "member's name"), ("", "ends too early"), (String(repeating: "[", count: 10000), "nested deeper"),
    ])
    func refusesAHeader(_ header: String, _ reason: String) throws {
        let data = file(header, 8)
        do {
            _ = try open(data)
            Issue.record("accepted")
        } catch let error as ModelError {
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }

    @Test(arguments: [UInt64.max, 1 << 63, 1 << 40, 9, 1]) func refusesALength(_ length: UInt64) throws {
        let data = withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data("{}      ".utf8)
        #expect(throws: ModelError.self) { try open(data) }
    }
}

struct HalfTests {
    /// IEEE 754: ties to even, the edges of the range, subnormals.
    @Test(
        arguments: [
            (1, 0x3c00), (-2, 0xc000), (65504, 0x7bff), (65519, 0x7bff), (65520, 0x7c00), (2049, 0x6800),
            (2051, 0x6802),
            (5.960464477539063e-8, 0x0001), (2.98023223876953125e-8, 0x0000), (2.980233e-8, 0x0001),
            (6.103515625e-5, 0x0400),
            (-0.0, 0x8000), (0.333333343, 0x3555),
        ] as [(Float, UInt16)])
    func rounds(_ value: Float, _ bits: UInt16) { #expect(Half.bits(value) == bits) }

    @Test func widensExactly() {
        for bits in UInt16.min...UInt16.max where bits & 0x7c00 != 0x7c00 {
            #expect(Half.bits(Half.widen(bits)) == bits)
        }
        #expect(Half.widen(0x0001) == 0x1p-24)
        #expect(Half.widen(0x7bff) == 65504)
    }
}
