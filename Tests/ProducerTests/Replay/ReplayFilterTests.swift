import CommandLineOptions
import Messaging
import Testing

@testable import Producer

@Suite struct ReplayFilterTests {
    private func filter(_ arguments: String...) throws -> ReplayFilter {
        let fixed = ["--bootstrap-servers", "h:1", "--replay-dead-letters"]
        guard case .run(let options) = try EnqueueOptions.command.parse(fixed + arguments, environment: [:]) else {
            throw UsageError("no run")
        }
        return try ReplayFilter(options)
    }

    @Test func codesAndTimesAreTaken() throws {
        let filter = try filter(
            "--code", "image_not_found,image_corrupt", "--since", "2026-01-31T12:00:00Z", "--until",
            "2026-01-31T13:00:00+00:30")
        let noon: Int64 = 1_769_860_800_000
        #expect(filter.admits(code: "image_not_found", timestamp: noon))
        #expect(!filter.admits(code: "image_not_found", timestamp: noon - 1))
        #expect(filter.admits(code: "image_corrupt", timestamp: noon + 1_799_999))
        #expect(!filter.admits(code: "image_corrupt", timestamp: noon + 1_800_000))
        #expect(!filter.admits(code: "internal", timestamp: noon))
    }

    @Test func withoutFiltersAllIsTaken() throws {
        #expect(try filter().admits(code: "of_a_later_version", timestamp: -1))
    }

    @Test func aLengthOfTimeIsCountedFromNow() {
        #expect(ReplayFilter.Time.ago(.seconds(7200)).milliseconds(now: 10_000_000) == 2_800_000)
    }

    @Test(arguments: [
        (["--code", "image_not_fond"], "image_not_found"), (["--since", "yesterday"], "2h"),
        (["--since", "1h", "--until", "2h"], "--until"),
    ])
    func whatIsNotUnderstoodIsRefused(arguments: [String], reason: String) {
        let fixed = ["--bootstrap-servers", "h:1", "--replay-dead-letters"]
        let error = #expect(throws: UsageError.self) {
            guard case .run(let options) = try EnqueueOptions.command.parse(fixed + arguments, environment: [:]) else {
                return
            }
            _ = try ReplayFilter(options)
        }
        #expect(error?.message.contains(reason) == true)
    }
}
