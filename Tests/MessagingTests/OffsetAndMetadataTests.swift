import Testing

@testable import Messaging

@Suite struct OffsetAndMetadataTests {
    @Test(arguments: BrokerKind.available) func comesBackAsItWasCommitted(kind: BrokerKind) throws {
        let bench = try KafkaBench(kind, partitions: 3)
        try bench.produce((0..<4).map { KafkaRecord(value: [UInt8($0)]) }, partition: 0)
        let consumer = try bench.consumer()
        let offsets = [
            OffsetAndMetadata(bench.partition(0), offset: 2, metadata: "some text of 4,000 bytes"),
            OffsetAndMetadata(bench.partition(1), offset: 0, metadata: ""),
        ]
        try consumer.commit(offsets, timeout: .seconds(30))
        let partitions = (0..<Int32(3)).map(bench.partition)
        #expect(try consumer.committed(partitions, timeout: .seconds(30)) == offsets)
        #expect(consumer.close(deadline: .seconds(10)))
    }

    @Test(.enabled(if: BrokerKind.available.contains(.apache))) func tooMuchIsRefused() throws {
        let bench = try KafkaBench(.apache, partitions: 1)
        let consumer = try bench.consumer()
        func commit(_ count: Int) throws {
            let metadata = String(repeating: "x", count: count)
            try consumer.commit(
                [OffsetAndMetadata(bench.partition(0), offset: 0, metadata: metadata)], timeout: .seconds(30))
        }
        try commit(OffsetAndMetadata.maximumMetadataBytes)
        let error = #expect(throws: KafkaError.self) { try commit(OffsetAndMetadata.maximumMetadataBytes + 1) }
        #expect(error?.name == "OFFSET_METADATA_TOO_LARGE")
        #expect(consumer.close(deadline: .seconds(10)))
    }
}
