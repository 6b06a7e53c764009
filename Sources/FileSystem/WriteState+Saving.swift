extension WriteState {
    /// What has to be written down so that another process can send the content; `nil` when the server has it all.
    var saved: SavedContent? {
        guard isDirty else { return nil }
        let here = mustReplace ? map.valid : map.dirty.union(map.taken)
        return SavedContent(
            size: map.size, serverSize: serverSize, mustReplace: mustReplace, replacesContent: replacesContent,
            isNew: isPending, isAppendOnly: isAppendOnly, ranges: Array(here.ranges), mode: wantedMode,
            time: wantedTime, base: base)
    }
}
