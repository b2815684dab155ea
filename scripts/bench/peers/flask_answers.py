"""What program/answers.ts is to a bundle, to the Flask app: answers one event and ends. The same arguments and the same report."""

import importlib.util
import json
import os
import resource
import sys

_, app_file, event_file, status, *_ = sys.argv
spec = importlib.util.spec_from_file_location("flask_app", app_file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with open(event_file, encoding="utf-8") as file:
    event = json.load(file)
answer = module.app.test_client().open(
    event["path"], method=event["httpMethod"], headers=event["headers"], data=event["body"]
)
if answer.status_code != int(status):
    sys.exit(f"answered {answer.status_code}: {answer.get_data(as_text=True)}")
used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
os.write(3, json.dumps({"firstMb": used_mb, "lastMb": used_mb}).encode())
