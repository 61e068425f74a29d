import Testing

@testable import Messaging

@Suite struct KafkaErrorTests {
    @Test func configurationIsNotAccess() {
        let error = KafkaError.configuration("no")
        #expect(error.category == .configuration)
        #expect(!error.isAccess)
    }
}
