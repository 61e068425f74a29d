import Foundation

@testable import Messaging

/// One record of the requests topic. A byte 0xFF ends the value; behind it come, each ended so, the key and the headers'
/// names and values in turn. The parse is followed by all that a worker makes of it: result, record and dead letter.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: bytes, count: count).split(separator: 0xFF, omittingEmptySubsequences: false)
        .map(Array.init)
    var headers: [KafkaHeader] = []
    for index in stride(from: 2, to: parts.count, by: 2) {
        let value = index + 1 < parts.count ? parts[index + 1] : nil
        headers.append(KafkaHeader(String(decoding: parts[index], as: UTF8.self), value))
    }
    let message = KafkaMessage(
        topic: "captions.requests", partition: 3, offset: 42, timestamp: 1_769_860_800_000,
        key: parts.count > 1 ? parts[1] : nil, value: parts[0], headers: headers)
    // Small limits, so that short inputs reach them.
    var limits = RequestLimits()
    if count % 2 == 1 {
        (limits.valueBytes, limits.keyBytes, limits.headerBytes) = (256, 16, 64)
        (limits.idBytes, limits.batchBytes, limits.metadataBytes, limits.metadataDepth) = (8, 8, 32, 3)
    }
    let parsed = CaptionRequest.parse(message, limits: limits)
    check(parsed, of: message, limits)
    checkAnswer(to: message, parsed)
    if let value = message.value, value.count <= 2048 { compareWithFoundation(value) }
    return 0
}

private func require(_ condition: Bool, _ promise: String) {
    if !condition { fatalError(promise) }
}

private func check(_ parsed: ParsedRequest, of message: KafkaMessage, _ limits: RequestLimits) {
    let request = parsed.request
    require(request.id.utf8.count <= max(limits.idBytes, 64) && !request.id.isEmpty, "an id beyond its limit")
    require((request.batch?.utf8.count ?? 0) <= limits.batchBytes, "a batch beyond its limit")
    require((1...limits.maximumBeam).contains(request.beam ?? 1), "beams out of range")
    require((1...limits.maximumCandidates).contains(request.candidates ?? 1), "candidates out of range")
    require((1...limits.maximumWords).contains(request.maxWords ?? 1), "words out of range")
    if let metadata = request.metadata {
        require(metadata.count <= limits.metadataBytes, "metadata beyond its limit")
        require(isJSON(metadata, maximumDepth: limits.metadataDepth), "metadata that is not JSON")
    }
    if parsed.failure == nil {
        require((message.value?.count ?? 0) <= limits.valueBytes, "a value beyond its limit was taken")
        require(message.headersByteCount <= limits.headerBytes, "headers beyond their limit were taken")
        let again = KafkaMessage(topic: "t", partition: 0, offset: 0, timestamp: 0, value: request.encoded())
        require(
            CaptionRequest.parse(again) == ParsedRequest(request: request), "a request that does not read back")
    }
}

private func checkAnswer(to message: KafkaMessage, _ parsed: ParsedRequest) {
    let result = CaptionResult(
        request: parsed.request, source: CaptionResult.Source(message), worker: "w",
        caption: parsed.failure == nil ? "a dog" : nil, failure: parsed.failure)
    let value = result.encoded()
    guard isJSON(value, maximumDepth: 256) else { fatalError("a result that is not JSON") }
    let echoed = message.headers.filter { !CloudEvent.isReserved($0.name) }
    require(
        echoed.allSatisfy { !$0.name.lowercased().hasPrefix("ce_") }, "a caller's header passes for one of ours")
    if let failure = parsed.failure {
        let letter = DeadLetter(failure: failure, attempts: 1, worker: "w")
        let whole = letter.record(for: message, maximumBytes: 1 << 20)
        require(whole.value == message.value && whole.key == message.key, "a dead letter that changed its request")
        require(whole.headers.starts(with: message.headers), "a dead letter without its request's headers")
        require(
            letter.record(for: message, maximumBytes: 1024).value == nil || whole.maximumByteCount <= 1024, "too large")
    }
    // Foundation takes longer than all else here.
    guard value.count % 16 == 0 else { return }
    guard let again = try? CaptionResult(decoding: value) else { fatalError("a result that does not read back") }
    require(again.metadata == result.metadata && again.id == result.id, "a result that reads back as another")
}
