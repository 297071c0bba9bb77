package store

import (
	"sync"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
)

// keepPages keeps SQLite's allocator from giving memory back and taking it
// again all the time: it returns a page to the system with the last piece in
// it, so that where a page more is needed for what comes and goes with each
// statement, as cursors do, every time costs two system calls and fresh zeroes.
// Pages of each size in use that are never empty leave it room; they are two
// megabytes in all.
var keepPages = sync.OnceFunc(func() {
	const page, pages = 64 << 10, 4 // of the allocator
	tls := libc.NewTLS()
	defer tls.Close()
	for size := types.Size_t(256); size <= page/4; size *= 2 {
		kept := map[uintptr]bool{}
		var rest []uintptr
		for range pages * page / size {
			p := libc.Xmalloc(tls, size)
			if at := p / page; kept[at] {
				rest = append(rest, p)
			} else {
				kept[at] = true
			}
		}
		for _, p := range rest {
			libc.Xfree(tls, p)
		}
	}
})
