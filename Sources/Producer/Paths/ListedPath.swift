/// One thing that the search for images came upon.
enum ListedPath: Equatable, Sendable {
    /// An image's path relative to the storage root.
    case image(String)
    /// Something the user named that cannot be enqueued, and why.
    case problem(path: String, reason: String)
}
