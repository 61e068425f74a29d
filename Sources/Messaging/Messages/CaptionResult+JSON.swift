extension CaptionResult {
    /// The result as JSON, fields in the contract's order.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 1024 + (metadata?.count ?? 0))
        writer.beginObject()
        writer.field("id", id)
        writer.field("image", image)
        writer.field("status", status.rawValue)
        if let failure {
            writer.name("error")
            writer.beginObject()
            writer.field("code", failure.code.rawValue)
            writer.field("message", failure.message)
            writer.endObject()
        } else if let caption {
            writer.field("caption", caption)
        }
        write(candidates, to: &writer)
        if let model { write(model, to: &writer) }
        write(timings, to: &writer)
        write(source, to: &writer)
        writer.field("worker", worker)
        writer.field("attempts", attempts)
        if let batch { writer.field("batch", batch) }
        if let metadata { writer.field("metadata", json: metadata) }
        if let replayOf { writer.field("replay_of", replayOf) }
        writer.endObject()
        return writer.bytes
    }

    private func write(_ candidates: [Candidate], to writer: inout JSONWriter) {
        if failure != nil { return }
        writer.name("candidates")
        writer.beginArray()
        for candidate in candidates {
            writer.beginObject()
            writer.field("caption", candidate.caption)
            writer.name("log_probability")
            writer.number(candidate.logProbability)
            writer.name("score")
            writer.number(candidate.score)
            writer.endObject()
        }
        writer.endArray()
    }

    private func write(_ model: Model, to writer: inout JSONWriter) {
        writer.name("model")
        writer.beginObject()
        writer.field("name", model.name)
        writer.field("version", model.version)
        writer.field("digest", model.digest)
        writer.field("precision", model.precision)
        writer.endObject()
    }

    private func write(_ timings: Timings, to writer: inout JSONWriter) {
        writer.name("timings_ms")
        writer.beginObject()
        writer.name("queue")
        writer.milliseconds(timings.queue)
        writer.name("fetch")
        writer.milliseconds(timings.fetch)
        writer.name("decode")
        writer.milliseconds(timings.decode)
        writer.name("encode")
        writer.milliseconds(timings.encode)
        writer.name("caption")
        writer.milliseconds(timings.caption)
        writer.name("total")
        writer.milliseconds(timings.total)
        writer.field("batch", timings.batch)
        writer.endObject()
    }

    private func write(_ source: Source, to writer: inout JSONWriter) {
        writer.name("source")
        writer.beginObject()
        writer.field("topic", source.topic)
        writer.field("partition", source.partition)
        writer.field("offset", source.offset)
        if source.timestamp >= 0 {
            writer.name("timestamp")
            writer.timestamp(source.timestamp)
        }
        writer.endObject()
    }
}
