package model

// Evidence holds the symbols and struct members that tell a kernel's variant before any
// write is seen. A field is Unknown when it could not be looked up.
type Evidence struct {
	// OverwriteBegin: the symbol ext4_iomap_overwrite_begin exists (6.x).
	OverwriteBegin Answer
	// IovMember: struct iov_iter has the member iov rather than __iov (6.1).
	IovMember Answer
	// IomapNext: the symbol ext4_iomap_next exists (7.3 and later).
	IomapNext Answer
}

// Fits reports whether a kernel of variant v can show the evidence e. The symbol
// ext4_iomap_next came into 7.x apart from the series, so that it excludes no variant.
func (e Evidence) Fits(v Variant) bool {
	s := v.Signs()
	if e.OverwriteBegin == Unknown {
		return true
	}
	return e.OverwriteBegin == s.OverwriteBegin && (e.OverwriteBegin == No || e.IovMember == Unknown || e.IovMember == s.IovMember)
}

// Against reports whether e speaks against v without excluding it.
func (e Evidence) Against(v Variant) bool {
	return e.OverwriteBegin == No && e.IomapNext != Unknown && e.IomapNext != v.Signs().IomapNext
}
