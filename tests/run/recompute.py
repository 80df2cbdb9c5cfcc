#!/usr/bin/env python3
"""recompute.py RESULTS: every stored mean of ndcg@10 and hr@10 again from the stored lists and truth, by h5py alone.

Prints one line a view; exits 1 where a stored mean is off by more than 1e-12, 77 where h5py is not installed."""
import glob
import math
import sys

try:
    import h5py
except ImportError:
    sys.exit(77)

checked, wrong = 0, 0
for path in sorted(glob.glob(sys.argv[1] + "/trials/*.h5")):
    with h5py.File(path, "r") as file:
        for task, view in file["views"].items():
            lists = view["topk/items"][:, :10]
            offsets, truth = view["truth/offsets"][:], view["truth/items"][:]
            gains = view["truth/gains"][:]
            ndcg, hits = [], []
            for q, row in enumerate(lists):
                gain = {int(i): float(g) for i, g in zip(truth[offsets[q]:offsets[q + 1]], gains[offsets[q]:offsets[q + 1]])}
                dcg = sum(gain.get(int(item), 0.0) / math.log2(rank + 2) for rank, item in enumerate(row))
                best = sorted(gain.values(), reverse=True)[:10]
                ndcg.append(dcg / sum(g / math.log2(rank + 2) for rank, g in enumerate(best)))
                hits.append(1.0 if any(int(item) in gain for item in row) else 0.0)
            for name, values in (("ndcg@10.v1", ndcg), ("hr@10.v1", hits)):
                if name not in view["means"].attrs:
                    continue
                stored, own = float(view["means"].attrs[name]), math.fsum(values) / len(values)
                checked += 1
                wrong += not abs(stored - own) <= 1e-12
                print(file.attrs["label"], task, name, stored, own)
print(checked, "means,", wrong, "wrong")
sys.exit(1 if wrong or not checked else 0)
