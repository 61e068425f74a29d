/// The one version of all of Kaption's programs.
public enum Kaption {
    public static let version = "0.1.0"
}
