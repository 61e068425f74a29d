import CommandLineOptions
import Testing

struct ValueTests {
    @Test func readsEveryKind() throws {
        let options = try Sample.options(
            "--storage", "/photos", "--threads=4", "--order", "none", "--retry-budget", "1.5m", "--window-bytes",
            "2KiB",
            "--rate", "2.5", "--topics", "a=8,b", "--http", "[::1]:8080", "--topic", "x", "--topic=y=z", "--wait", "-0",
            "-X", "linger.ms=5", "-Xdebug=broker,topic", "one", "--", "--two")
        #expect(options[Sample.storage] == "/photos")
        #expect(options[Sample.threads] == 4)
        #expect(options[Sample.maxBatch] == 8)
        #expect(options[Sample.order] == .none)
        #expect(options[Sample.budget] == .seconds(90))
        #expect(options[Sample.window] == 2048)
        #expect(options[Sample.rate] == 2.5)
        #expect(options[Sample.topics] == [WeightedName(name: "a", weight: 8), WeightedName(name: "b", weight: 1)])
        #expect(options[Sample.http] == HostAndPort(host: "::1", port: 8080))
        #expect(options[Sample.topic] == ["x", "y=z"])
        #expect(options[Sample.wait])
        #expect(options[Sample.null])
        #expect(!options[Sample.trial])
        #expect(
            options[SharedOptions.properties] == [
                KeyValue(key: "linger.ms", value: "5"), KeyValue(key: "debug", value: "broker,topic"),
            ])
        #expect(options.positionals == ["one", "--two"])
    }

    @Test func absentOptionsHaveTheirDefaults() throws {
        let options = try Sample.options("--storage", "/photos", "--wait=false")
        #expect(options[Sample.threads] == nil)
        #expect(options[Sample.topics] == [WeightedName(name: "captions.requests", weight: 1)])
        #expect(options[Sample.topic].isEmpty)
        #expect(!options[Sample.wait])
        #expect(options[Sample.window] == 64 << 20)
        #expect(options.source(of: Sample.threads) == .missing)
        #expect(options.source(of: Sample.maxBatch) == .standard)
    }

    @Test(arguments: [
        (["--threads", "abc"], "--threads: 'abc' is not a whole number; give 1 to 256"),
        (["--threads", "0"], "--threads: 0 is out of range; give 1 to 256"),
        (["--rate", "nan"], "--rate: 'nan' is not a number; give 0.01 to 1000000.0"),
        (["--order", "some"], "--order: 'some' is not known; give partition, none"),
        (
            ["--retry-budget", "5"],
            "--retry-budget: '5' is not a length of time; give a number such as 500ms, 2s or 1m"
        ),
        (
            ["--retry-budget", "9999999999h"],
            "--retry-budget: '9999999999h' is not a length of time; give a number such as 500ms, 2s or 1m"
        ),
        (["--window-bytes", "5MiX"], "--window-bytes: '5MiX' is not a number of bytes; give a number such as 64MiB"),
        (
            ["--window-bytes", "9223372036854775807GiB"],
            "--window-bytes: '9223372036854775807GiB' is out of range; give 1 to 1099511627776 bytes"
        ),
        (["--topics", "a=0"], "--topics: 'a=0' is not NAME or NAME=WEIGHT with a weight of 1 to 1000"),
        (["--topics", "a,,b"], "--topics: '' is not NAME or NAME=WEIGHT with a weight of 1 to 1000"),
        (["--topics", "a,a=2"], "--topics: 'a' is named twice"),
        (["--http", "host"], "--http: 'host' is not HOST:PORT; give for example 127.0.0.1:8080"),
        (["--http", "::1:80"], "--http: '::1:80': an IPv6 address stands in brackets; give for example [::1]:8080"),
        (["-X", "linger.ms"], "-X: 'linger.ms' is not KEY=VALUE"),
        (["--storage", ""], "--storage: the value is empty"),
        (["--wait=perhaps"], "--wait: 'perhaps' is neither true nor false"),
        (["--max-bach", "3"], "unknown option --max-bach. Did you mean --max-batch?"),
        (["--frobnicate"], "unknown option --frobnicate."),
        (["-0x"], "unknown option -0x; give --null alone"),
        (["--threads"], "--threads needs a value: --threads N"),
        (["--threads", "--wait"], "--threads needs a value: --threads N"),
        (["a", "b", "c"], "unexpected argument 'c'"),
    ])
    func refusesWithAReason(arguments: [String], reason: String) {
        let storage = arguments.contains("--storage") ? [] : ["--storage", "/photos"]
        #expect(Sample.refusal(storage + arguments) == reason)
    }

    @Test func anAttachedValueMayLookLikeAFlag() throws {
        #expect(try Sample.options("--storage=--wait")[Sample.storage] == "--wait")
    }

    @Test func aRequiredOptionIsAskedFor() {
        #expect(Sample.refusal([]) == "--storage DIR is missing; give it, or KAPTION_STORAGE in the environment")
        #expect(Sample.refusal(["caption"], of: Sample.withSubcommands) == "IMAGE… is missing")
    }
}
