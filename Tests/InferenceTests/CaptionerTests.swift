import Foundation
import Inference
import Synchronization
import TestSupport
import Testing

@Suite("Captioner with the model in the box")
struct CaptionerTests {
    static let bundle = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small")

    private struct Job: Sendable {
        var file: Data
        var options: CaptionOptions
    }

    /// Drawn pictures of odd sizes, and photographs where they are at hand.
    private func jobs(count: Int) throws -> [Job] {
        var files = [(1, 1), (160, 160), (33, 57), (301, 17), (7, 400), (640, 481)].enumerated().map { index, size in
            TestPicture.png(width: size.0, height: size.1, seed: UInt64(index))
        }
        if SharedFiles.isPresent {
            for folder in ["flickr8k/originals", "flickr8k/images"] {
                let all = try FileManager.default.contentsOfDirectory(
                    at: SharedFiles.url(folder), includingPropertiesForKeys: nil)
                files += try all.sorted { $0.path < $1.path }.prefix(8).map { try Data(contentsOf: $0) }
            }
        }
        var generator = SeededGenerator(4)
        return (0..<count).map { index in
            let beam = Int.random(in: 1...6, using: &generator)
            return Job(
                file: files[index % files.count],
                options: CaptionOptions(
                    beam: beam, candidates: Int.random(in: 1...beam, using: &generator),
                    maxWords: Int.random(in: 3...20, using: &generator)))
        }
    }

    private func caption(
        _ jobs: [Job], with session: CaptionSession
    ) -> [Result<CaptionSession.Output, InferenceError>?] {
        let buffers = jobs.map { job in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, job.file.count), alignment: 1)
            job.file.copyBytes(to: buffer)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let inputs = zip(jobs, buffers).map { job, buffer in
            CaptionSession.Input(
                bytes: UnsafeRawBufferPointer(rebasing: buffer[..<job.file.count]), options: job.options)
        }
        var results: [Result<CaptionSession.Output, InferenceError>?] = Array(repeating: nil, count: jobs.count)
        session.caption(inputs) { index, result in
            #expect(results[index] == nil, "an image is answered once")
            results[index] = result
        }
        return results
    }

    /// Whole images take the plain kernels too long; they are used only where there is nothing else.
    static let instructionSets =
        InstructionSet.available == [.plain] ? [.plain] : InstructionSet.available.filter { $0 != .plain }

    @Test("The same bits for any micro-batch, thread, order and neighbours", arguments: instructionSets)
    func sameBitsInAnyCompany(instructionSet: InstructionSet) throws {
        let captioner = try Captioner(bundle: Self.bundle.path, instructionSet: instructionSet)
        let jobs = try jobs(count: instructionSet == .plain ? 4 : 40)
        let single = captioner.makeSession(maximumBatch: 1)
        let alone = try jobs.map { job in try #require(caption([job], with: single)[0]).get().candidates }
        #expect(Set(alone.map { $0[0].logProbability }).count > jobs.count / 2, "the images do not all look alike")

        for (maximumBatch, threads) in [(3, 1), (8, 2), (5, 3)] {
            var generator = SeededGenerator(UInt64(maximumBatch * 10 + threads))
            let waiting = Mutex((order: Array(jobs.indices.shuffled(using: &generator)), generator: generator))
            let found = Mutex<[Int: [CaptionCandidate]]>([:])
            let finished = DispatchGroup()
            for _ in 0..<threads {
                finished.enter()
                Thread {
                    defer { finished.leave() }
                    let session = captioner.makeSession(maximumBatch: maximumBatch)
                    while true {
                        let batch = waiting.withLock { state in
                            let count = Int.random(in: 1...maximumBatch, using: &state.generator)
                            defer { state.order.removeLast(min(count, state.order.count)) }
                            return Array(state.order.suffix(count))
                        }
                        if batch.isEmpty { return }
                        let results = self.caption(batch.map { jobs[$0] }, with: session)
                        found.withLock { found in
                            for (job, result) in zip(batch, results) { found[job] = try? result?.get().candidates }
                        }
                    }
                }.start()
            }
            finished.wait()
            let results = found.withLock { $0 }
            for job in jobs.indices { #expect(results[job] == alone[job]) }
        }
    }

    @Test func aBadImageFailsAlone() throws {
        let captioner = try Captioner(bundle: Self.bundle.path)
        let good = TestPicture.png(width: 50, height: 40, seed: 1)
        let files: [(Data, InferenceError.Code?)] = [
            (good, nil), (Data("no image".utf8), .imageUnsupported), (Data(), .imageUnsupported),
            (good.prefix(good.count / 2), .imageCorrupt), (good, nil),
        ]
        var jobs = files.map { Job(file: $0.0, options: captioner.defaults) }
        jobs.append(Job(file: good, options: CaptionOptions(beam: 11)))
        let session = captioner.makeSession(maximumBatch: jobs.count)
        let alone = try #require(caption([jobs[0]], with: session)[0]).get().candidates
        for _ in 0..<2 {
            let results = caption(jobs, with: session)
            for (index, (_, code)) in files.enumerated() {
                let result = try #require(results[index])
                if let code {
                    #expect(throws: InferenceError.self) { try result.get() }
                    if case .failure(let error) = result { #expect(error.code == code) }
                } else {
                    #expect(try result.get().candidates == alone)
                }
            }
            guard case .failure(let error) = results[files.count] else {
                Issue.record("beam 11 was accepted")
                return
            }
            #expect(error.code == .optionOutOfRange)
        }
        #expect(caption([], with: session).isEmpty)
    }

    @Test func leavesTheThreadsArithmeticAsItWas() throws {
        let captioner = try Captioner(bundle: Self.bundle.path)
        let job = Job(file: TestPicture.png(width: 50, height: 40, seed: 1), options: captioner.defaults)
        let halves: [Float] = [Float.leastNonzeroMagnitude, .leastNormalMagnitude].map { $0 * 0.5 }
        _ = caption([job], with: captioner.makeSession(maximumBatch: 1))
        #expect([Float.leastNonzeroMagnitude, .leastNormalMagnitude].map { $0 * 0.5 } == halves)
        #expect(Float(Float16(-1.1920929e-7)) == -1.1920929e-7)
    }

    @Test func identifiesItsModel() throws {
        let captioner = try Captioner(bundle: Self.bundle.path)
        #expect(captioner.identity.name == "kaption-small")
        #expect(captioner.identity.precision == "fp32")
        #expect(captioner.identity.digest.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil)
        #expect(captioner.defaults == CaptionOptions(beam: 3, candidates: 1, maxWords: 20))
    }

    @Test func refusesABundleThatIsDamaged() throws {
        #expect(throws: ModelError.self) { try Captioner(bundle: "/nonexistent") }
        let copy = try TemporaryDirectory()
        for name in try FileManager.default.contentsOfDirectory(atPath: Self.bundle.path) {
            try copy.write(name, Data(contentsOf: Self.bundle.appendingPathComponent(name)))
        }
        #expect(throws: Never.self) { try Captioner(bundle: copy.url.path) }
        var words = try Data(contentsOf: copy.url.appendingPathComponent("vocabulary.txt"))
        words.append(contentsOf: Data("another\n".utf8))
        try copy.write("vocabulary.txt", words)
        #expect(throws: ModelError.self) { try Captioner(bundle: copy.url.path) }
    }
}
