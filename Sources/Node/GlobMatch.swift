import Base
func globMatch(pattern: ByteView, text: ByteView, ignoringCase: Bool) -> Bool { pattern.equals(text) || pattern.text == "*" }
