import CRdKafka

/// SASL OAUTHBEARER: librdkafka asks for a token at the start, and again when four fifths of its lifetime are over. It asks
/// on a thread of its own, so that it does not matter who polls the client, or when.
enum OAuthRefresh {
    static func prepare(_ native: OpaquePointer, _ configuration: KafkaConfiguration) {
        if configuration.tokenFile == nil { return }
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(native, refreshCallback)
        rd_kafka_conf_enable_sasl_queue(native, 1)
    }

    /// - Throws: `KafkaError` if librdkafka is not set to OAUTHBEARER.
    static func start(_ client: OpaquePointer, _ configuration: KafkaConfiguration) throws {
        if configuration.tokenFile == nil { return }
        if let error = KafkaError(consuming: rd_kafka_sasl_background_callbacks_enable(client)) { throw error }
    }

    fileprivate static func refresh(_ client: OpaquePointer, from file: OAuthTokenFile) {
        do {
            let token = try file.token()
            var text = [CChar](repeating: 0, count: 512)
            let code = rd_kafka_oauthbearer_set_token(
                client, token.value, token.expiry, token.principal, nil, 0, &text, text.count)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                rd_kafka_oauthbearer_set_token_failure(client, "\(file.path): \(string(ofTerminated: text))")
            }
        } catch {
            // librdkafka reports it as an error of authentication and asks again in 10 s.
            rd_kafka_oauthbearer_set_token_failure(client, error.description)
        }
    }
}

private let refreshCallback: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void =
    { client, _, opaque in
        guard let client, let file = ClientContext.from(opaque)?.tokenFile else { return }
        OAuthRefresh.refresh(client, from: file)
    }
