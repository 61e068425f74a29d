import Glibc

/// The paths that match a shell pattern (`*`, `?`, `[…]`), in order of name, by glob(3); none if nothing matches.
func expandGlob(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { index in paths[index].flatMap { String(validatingCString: $0) } }
}

func isGlob(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

/// A pattern that matches a text and nothing else.
func escapedForGlob(_ text: String) -> String {
    text.reduce(into: "") { $0 += "*?[]\\".contains($1) ? "\\\($1)" : String($1) }
}
