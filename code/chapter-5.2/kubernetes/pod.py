"""Print the Pod that a Job on the standard input would make."""

import sys

import yaml

job = next(one for one in yaml.safe_load_all(sys.stdin) if one["kind"] == "Job")
pod = {"apiVersion": "v1", "kind": "Pod", "metadata": job["metadata"], "spec": job["spec"]["template"]["spec"]}
print(yaml.safe_dump(pod))
