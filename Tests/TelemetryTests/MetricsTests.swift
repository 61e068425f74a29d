import Foundation
import TestSupport
import Testing

@testable import Telemetry

struct MetricsTests {
    @Test func theTextIsAsTheFormatSays() {
        let registry = MetricsRegistry()
        let results = registry.counter("results_total", "Answers, by code", labels: ["code", "model"])
        results["ok", "small"].increment()
        results["ok", "small"].increment(by: 2)
        results["image \"a\\b\"\n", "small"].increment()
        registry.gauge("queue", "One line\nand \\ another").record(2.5)
        let seconds = registry.histogram("encode_seconds", "Time", bounds: [0.1, 1])
        seconds.record(0.1)
        seconds.record(.milliseconds(500))
        seconds.record(7)
        registry.counter("bytes_total", "Read elsewhere", labels: ["broker"]) { [(["1"], 1e15), (["0"], 3)] }
        #expect(
            registry.text() == """
                # HELP bytes_total Read elsewhere
                # TYPE bytes_total counter
                bytes_total{broker="0"} 3
                bytes_total{broker="1"} 1000000000000000
                # HELP encode_seconds Time
                # TYPE encode_seconds histogram
                encode_seconds_bucket{le="0.1"} 1
                encode_seconds_bucket{le="1"} 2
                encode_seconds_bucket{le="+Inf"} 3
                encode_seconds_sum 7.6
                encode_seconds_count 3
                # HELP queue One line\\nand \\\\ another
                # TYPE queue gauge
                queue 2.5
                # HELP results_total Answers, by code
                # TYPE results_total counter
                results_total{code="image \\"a\\\\b\\"\\n",model="small"} 1
                results_total{code="ok",model="small"} 3

                """)
    }

    @Test func countsOfManyThreadsAddUp() {
        let registry = MetricsRegistry()
        let counter = registry.counter("events_total", "Events")
        let gauge = registry.gauge("level", "Level")
        let histogram = registry.histogram("seconds", "Time", bounds: [1, 2])
        let labeled = registry.counter("labeled_total", "Events", labels: ["thread"])
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for index in 0..<10_000 {
                counter.increment()
                gauge.add(index.isMultiple(of: 2) ? 3 : -2)
                histogram.record(Double(index % 3) + 0.5)
                labeled["\(thread % 2)"].increment()
            }
        }
        #expect(counter.total == 80_000)
        #expect(gauge.value == 40_000)
        #expect(histogram.snapshot.counts == [26_672, 26_664, 26_664])
        #expect(labeled["0"].total == 40_000 && labeled["1"].total == 40_000)
    }

    @Test func histogramsPutValuesInTheirRange() {
        let histogram = Histogram(bounds: [-1, 0, 1])
        for value in [-2, -1, -0.5, 0, 0.5, 1, 1.5, .infinity, -.infinity, .nan] { histogram.record(value) }
        #expect(histogram.snapshot.counts == [3, 2, 2, 3])
        #expect(Histogram.secondsBounds == Histogram.secondsBounds.sorted())
    }

    /// Should a label ever be given straight from input, memory stays bounded and nothing goes uncounted.
    @Test func labelsAreBounded() {
        let registry = MetricsRegistry()
        let counters = registry.counter("events_total", "Events", labels: ["name"])
        for index in 0..<5000 { counters["\(index)"].increment() }
        #expect(counters.all.count == Labeled<Counter>.limit)
        #expect(counters["0"].total == 1)
        #expect(counters["other"].total == 5000 - (Labeled<Counter>.limit - 1))
        #expect(counters.all.reduce(0) { $0 + $1.metric.total } == 5000)
    }

    @Test func whatIsRemovedIsGone() {
        let registry = MetricsRegistry()
        let lag = registry.gauge("lag", "Lag", labels: ["topic", "partition"])
        lag["a", "0"].record(1)
        lag["a", "1"].record(2)
        lag.remove("a", "0")
        #expect(registry.text().hasSuffix("# TYPE lag gauge\nlag{topic=\"a\",partition=\"1\"} 2\n"))
    }

    /// Prometheus' own client library reads what we write.
    @Test(.enabled(if: SharedFiles.isPresent, "the folder shared/ is not beside this one"))
    func prometheusReadsTheText() throws {
        let odd = "ünï \"q\" \\ back\\n \n line {a=\"b\"} # ,"
        let registry = MetricsRegistry()
        registry.counter("odd_total", odd, labels: ["label"])[odd].increment(by: 1 << 52)
        registry.counter("plain_total", "Plain").increment(by: 3)
        let gauges = registry.gauge("gauge", "Gauges", labels: ["kind"])
        let values: [String: Double] = [
            "tiny": .leastNonzeroMagnitude, "huge": -1.7976931348623157e308, "third": 1 / 3, "zero": 0, "big": 1e21,
        ]
        for (kind, value) in values { gauges[kind].record(value) }
        gauges["nan"].record(.nan)
        gauges["inf"].record(.infinity)
        gauges["-inf"].record(-.infinity)
        let seconds = registry.histogram("seconds", "Time", labels: ["stage"])
        for value in [0.0005, 0.003, 0.2, 100] { seconds["encode"].record(value) }

        let families = try PrometheusFamily.parse(registry.text())
        #expect(families.keys.sorted() == ["gauge", "odd", "plain", "seconds"])
        let oddFamily = try #require(families["odd"])
        #expect(oddFamily.type == "counter" && oddFamily.help == odd)
        #expect(oddFamily.samples.map(\.labels) == [["label": odd]])
        #expect(oddFamily.samples.map(\.value) == [.number(Double(1 << 52))])
        #expect(families["plain"]?.samples.map(\.value) == [.number(3)])
        let read = Dictionary(
            uniqueKeysWithValues: try #require(families["gauge"]).samples.map { ($0.labels["kind"] ?? "", $0.value) })
        for (kind, value) in values { #expect(read[kind] == .number(value)) }
        #expect(read["nan"] == .special("nan") && read["inf"] == .special("inf") && read["-inf"] == .special("-inf"))
        let time = try #require(families["seconds"])
        #expect(time.type == "histogram" && time.samples.count == Histogram.secondsBounds.count + 3)
        let buckets = time.samples.filter { $0.name == "seconds_bucket" }
        #expect(buckets.allSatisfy { $0.labels["stage"] == "encode" })
        #expect(buckets.map(\.value).last == .number(4))
        #expect(buckets.first { $0.labels["le"] == "0.25" }?.value == .number(3))
        #expect(time.samples.first { $0.name == "seconds_sum" }?.value == .number(100.2035))
        #expect(time.samples.first { $0.name == "seconds_count" }?.value == .number(4))
    }
}
