# Nothing has to be installed first but make and Python (or uv): every target prepares what it needs.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo shop test check fuzz lint audit chromium node clients clean
.PHONY: promises bench-attacks bench-accuracy bench-faults bench-ingest bench-live bench-pages bench-run bench-scale bench-schema bench-serving
.PHONY: bench-adaptivity bench-bandits bench-cold-items bench-cold-people bench-experiments bench-first-impressions bench-imports bench-leaks bench-looks-like bench-mutations bench-noise bench-off-policy bench-past-answers bench-privacy-erasures bench-privacy-forgetting bench-privacy-logs bench-privacy-membership bench-privacy-pairs bench-privacy-releases bench-push bench-push-agent bench-push-demo bench-push-lift bench-push-quality bench-readings bench-replay-estimates bench-retention bench-watches

PORT ?= 8000
# What the demo offers: goods, articles, music or video, each in a folder of its own.
DOMAIN ?= goods
DATA ?= $(if $(filter articles music video,$(DOMAIN)),.local-$(DOMAIN),.local)
HOUSEHOLDS ?=
# The demo's folder is no shop's.
OWN = $(if $(filter .local,$(DATA)),own,$(DATA))
UV := $(or $(shell command -v uv),.uv/bin/uv)
PYTHON := .venv/bin/python
# The machine's own certificates count, also those of a proxy in between.
export UV_SYSTEM_CERTS ?= 1
# Progress shows as it happens, also in a pipe or a file.
export PYTHONUNBUFFERED := 1
# Many a container forbids to keep compiled files: each of the hundreds of programs that a run starts would then compile
# Django and all else anew, which takes it five seconds instead of one.
unexport PYTHONDONTWRITEBYTECODE
# Threads that wait leave the core to those that work.
export OMP_WAIT_POLICY ?= PASSIVE
# Tests run in two processes, each with servers of its own and, like what it starts, with one core for BLAS; in one
# process where the servers are given.
ONE := -m recsite.embedded --ephemeral -- $(PYTHON) -m pytest
TWO := -m pytest --dist loadfile --no-loadscope-reorder --tx '2*popen//python=env -u DATABASE_URL -u REDIS_URL OPENBLAS_NUM_THREADS=1 $(PYTHON) -m recsite.embedded --ephemeral -- $(PYTHON)'
# exec: the signals that make passes on must reach Python, not a shell.
SERVERS := @exec $(PYTHON) -m recsite.embedded

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F':.*## ' '{split($$1, name, ":"); printf "  make %-18s %s\n", name[1], $$2}'

install: .venv/stamp  ## Make .venv with everything that the product and its tests need

NAME_goods := Corner Shop
NAME_articles := Corner Press
NAME_music := Corner Radio
NAME_video := Corner Cinema
demo: export SHOP_NAME ?= $(NAME_$(DOMAIN))
demo: export SHOP_DOMAIN ?= $(DOMAIN)
demo: .venv/stamp  ## Start everything on real data (PORT=8000 DATA=.local HOUSEHOLDS=300 DOMAIN=goods|articles|music|video); prints address, login and API key
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) manage.py demo --port "$(PORT)" $(if $(HOUSEHOLDS),--households "$(HOUSEHOLDS)") $(if $(ACCEPT_LICENCE),--accept-licence)

shop: .venv/stamp  ## Open a shop of your own: DATA=own ITEMS=feed EVENTS=file (FROM= NAME= PORT= ORIGIN= EMAIL=); later DATA=own alone
	$(SERVERS) --data "$(OWN)" -- $(PYTHON) manage.py shop --port "$(PORT)" $(if $(ITEMS),--items "$(ITEMS)") $(if $(EVENTS),--events "$(EVENTS)") $(if $(FROM),--from "$(FROM)") $(if $(NAME),--name "$(NAME)") $(if $(ORIGIN),--origin "$(ORIGIN)") $(if $(EMAIL),--email "$(EMAIL)")

test: lint chromium node  ## All checks and all tests, browser included (ARGS="-k word" for some)
	@exec $(PYTHON) $(if $(DATABASE_URL)$(REDIS_URL),$(ONE),$(TWO)) $(ARGS)

check: .venv/stamp  ## One file of tests on real servers, in seconds (FILE=tests/… ARGS="-k word")
	$(if $(FILE),,$(error Which file? make check FILE=tests/store/imports/test_import_fuzz.py))
	@exec $(PYTHON) $(ONE) $(strip $(FILE)) $(ARGS)

fuzz: .venv/stamp  ## Look on for input that breaks something, with new seeds (ARGS="-k word" for some of it)
	$(PYTHON) $(ONE) -m hypothesis --hypothesis-profile=fuzz $(ARGS)
	$(SERVERS) --ephemeral -- $(PYTHON) bench/faults/fuzz.py --seed "$$(date +%s)"

lint: .venv/stamp  ## Style, types, who may import whom, the numbers of the house
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	$(PYTHON) tools/house.py

audit: .venv/stamp  ## Known vulnerabilities of the pinned packages, from OSV's file (ADVISORIES=all.zip)
	@$(PYTHON) tools/audit.py $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

promises: .venv/stamp  ## What the documents promise against what is seen (ARGS="--only ID --json out.json", --long, --list)
	@exec $(PYTHON) -m bench.promises --data "$(DATA)" $(ARGS)

bench-accuracy: .venv/stamp  ## How good the ranking is, on the demo's data or yours (ARGS="--json out.json --peers")
	$(PYTHON) bench/accuracy.py $(ARGS)

bench-adaptivity: .venv/stamp  ## After how many baskets lists follow who changed overnight, on the demo's wheel (ARGS="--households 900")
	$(PYTHON) -m bench.robustness.adaptivity $(ARGS)

bench-attacks: .venv/stamp  ## Attacks on the demo's data: taken over, forged, pushed, starved? (one of them: python -m bench.attacks.NAME)
	$(PYTHON) -m bench.attacks.takeover --data "$(DATA)"
	$(PYTHON) -m bench.attacks.forgery --data "$(DATA)"
	$(PYTHON) -m bench.attacks.starvation --data "$(DATA)"
	$(PYTHON) -m bench.attacks.shilling
	$(PYTHON) -m bench.attacks.false_alarms
	$(PYTHON) -m recsite.embedded --data "$(DATA)" -- $(PYTHON) -m bench.attacks.invention
	$(SERVERS) --ephemeral -- $(PYTHON) -m bench.attacks.links

bench-bandits: .venv/stamp  ## What daily shares of versions earn and whom they pause, on made days (ARGS="--quick --json out.json")
	$(PYTHON) -m bench.bandits $(ARGS)

bench-cold-items: .venv/stamp  ## How well items that nobody has bought yet are ranked, on the demo's wheel (ARGS="--json out.json")
	$(PYTHON) -m bench.cold_items $(ARGS)

bench-cold-people: .venv/stamp  ## How good lists are for people of whom little is known, on the demo's wheel (ARGS="--window test --json out.json")
	$(PYTHON) -m bench.cold_people $(ARGS)

bench-experiments: .venv/stamp  ## False alarms, power, planned days and the split check, on made visitors (ARGS="--quick --json out.json")
	$(PYTHON) -m bench.experiments $(ARGS)

bench-faults: .venv/stamp  ## Kill, starve and fill up real processes, then look every event up (ARGS="--full --json out.json")
	$(PYTHON) -m bench.faults $(ARGS)

bench-first-impressions: .venv/stamp  ## Promises to new items, replayed on the demo's wheel: how many are kept, and the price (ARGS="--json out.json")
	$(PYTHON) -m bench.first_impressions $(ARGS)

bench-leaks: .venv/stamp  ## Customers' addresses where they must not be, in the demo's data after it ran (ARGS="--log demo.log")
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.leaks --data "$(DATA)" $(ARGS)

bench-looks-like: .venv/stamp  ## Is the nearest picture one of the same class? On a folder of pictures in folders of classes (ARGS="DIR --depth 2")
	$(PYTHON) -m bench.looks_like $(ARGS)

bench-mutations: .venv/stamp  ## Faults planted in a copy of the source: do the tests named beside each turn red? (ARGS="--only words")
	OMP_NUM_THREADS=1 $(PYTHON) -m recsite.embedded --ephemeral -- $(PYTHON) -m bench.mutations $(ARGS)

bench-noise: .venv/stamp  ## What invented lines cost the ranking, and acts that are told twice (ARGS="--households 900 --draws 1")
	$(PYTHON) -m bench.robustness.noise $(ARGS)
	$(SERVERS) --ephemeral -- $(PYTHON) -m bench.robustness.duplicates

bench-off-policy: .venv/stamp  ## What a log tells of a draft, and what exploring costs, on made customers (ARGS="--quick --json out.json")
	OMP_NUM_THREADS=1 $(PYTHON) -m bench.policies $(ARGS)

bench-past-answers: .venv/stamp  ## A thousand answers made again after everything changed, on the demo's data (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.past_answers $(ARGS)

bench-privacy-erasures: .venv/stamp  ## Fifty people erased while the shop is busy, on the demo's data, and what is left of them (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.privacy.erasures --data "$(DATA)" $(ARGS)

bench-privacy-forgetting: .venv/stamp  ## From the commit of an erasure to the last answer that knows the person (ARGS="--json out.json")
	$(SERVERS) --ephemeral -- env DJANGO_SETTINGS_MODULE=recsite.settings $(PYTHON) -m bench.privacy.forgetting $(ARGS)

bench-privacy-logs: .venv/stamp  ## Ids, orders and sessions in the logs of a run that goes wrong wherever it can (ARGS="--level DEBUG --keep DIR")
	$(PYTHON) -m bench.privacy.logs $(ARGS)

bench-privacy-membership: .venv/stamp  ## Does a model tell who taught it, also once they are taken out? On the demo's wheel (ARGS="--json out.json")
	$(PYTHON) -m bench.privacy.membership $(ARGS)

bench-privacy-pairs: .venv/stamp  ## 500 people with something everywhere erased among 500 others: what is left, what of others? (ARGS="--pairs 50")
	$(SERVERS) --ephemeral -- $(PYTHON) -m bench.privacy.pairs $(ARGS)

bench-privacy-releases: .venv/stamp  ## What numbers with noise are worth, and whether they know it; needs the extra releases (ARGS="--json out.json")
	$(PYTHON) -m bench.privacy.releases $(ARGS)

bench-push: .venv/stamp  ## What campaigns cost: the plan of 100,000 customers, mails a minute (ARGS="--quick --json out.json")
	$(SERVERS) --ephemeral -- $(PYTHON) -m bench.push $(ARGS)

bench-push-agent: .venv/stamp  ## The agent beside the rule, its intervals, refusals and costs, on made people (ARGS="--quick --json out.json")
	OMP_NUM_THREADS=1 $(PYTHON) -m bench.push.agent $(ARGS)

bench-push-demo: .venv/stamp  ## Plans beside their sendings, limits, scanners and repeats, on the demo's data after it ran (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.push.demo --data "$(DATA)" $(ARGS)

bench-push-lift: .venv/stamp  ## What a holdout shows of an effect that is there, and of none, on the demo's purchases (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.push.lift $(ARGS)

bench-push-quality: .venv/stamp  ## What is learned of messages beside naive rules, on the demo's wheel (ARGS="--json out.json")
	$(PYTHON) -m bench.push.quality $(ARGS)

bench-readings: .venv/stamp  ## A reading of an experiment with 200,000 people and 2 million answers (ARGS="--quick --json out.json")
	$(SERVERS) --ephemeral -- $(PYTHON) -m bench.readings $(ARGS)

bench-replay-estimates: .venv/stamp  ## What the replay tells of five drafts, beside the truth, and its A/A, on the demo's data (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.replay_estimates $(ARGS)

bench-run: .venv/stamp  ## A whole run of the loop in a limit of memory (ARGS="--folder DIR --customers 1000000 --items 100000 --rows 50000000 --memory 8")
	$(PYTHON) -m bench.growth.whole_run $(ARGS)

bench-scale: .venv/stamp  ## Seconds and memory up to 50 million invented interactions (ARGS="--rows 1,10 --json out.json")
	$(PYTHON) bench/scale.py $(ARGS)

bench-schema: .venv/stamp  ## 10,000 requests to each operation of the API: is any answer not as its schema has it? (ARGS="--each 500 --only events")
	$(SERVERS) --ephemeral -- $(PYTHON) bench/faults/fuzz.py --each 10000 $(ARGS)

bench-ingest: .venv/stamp  ## Events in per second against what the database does alone (ARGS="--quick --json out.json")
	$(SERVERS) --ephemeral -- $(PYTHON) bench/ingest.py $(ARGS)

bench-imports: .venv/stamp  ## Files of 5 million rows imported while events come in: who waits? (ARGS="--rows 500000 --json out.json")
	$(SERVERS) --ephemeral -- env DJANGO_SETTINGS_MODULE=recsite.settings $(PYTHON) -m bench.ingestion.meanwhile $(ARGS)

bench-live: .venv/stamp  ## From an event to the answer that knows of it, while `make demo` runs (ARGS="--json out.json")
	$(PYTHON) bench/live.py --data "$(DATA)" $(ARGS)

bench-retention: .venv/stamp  ## Months dropped while events come in: who waits, what is lost? (ARGS="--rows 1000000 --json out.json")
	$(SERVERS) --ephemeral -- env DJANGO_SETTINGS_MODULE=recsite.settings $(PYTHON) -m bench.privacy.dropping $(ARGS)

bench-pages: .venv/stamp  ## Whole pages, asked placement by placement and at once, on the demo's data (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.whole_page $(ARGS)

bench-serving: .venv/stamp  ## What an answer costs against a bare GET of Valkey, on the demo's data (DATA=.local)
	$(SERVERS) --data "$(DATA)" -- $(PYTHON) -m bench.serving $(ARGS)

bench-watches: .venv/stamp  ## Planted changes of rates, lists and interests: seen, how soon, whose? (ARGS="--quick --json out.json")
	$(PYTHON) bench/watches.py $(ARGS)

chromium:  ## Find or, as root on Debian, install the browser of the tests
	@tools/chromium.sh

node:  ## Find or, as root on Debian, install the Node of the tests
	@tools/node.sh

clients: .venv/stamp node  ## Make the JavaScript client for servers anew, from the schema
	$(SERVERS) --ephemeral -- $(PYTHON) tools/clients.py

clean:  ## Forget the demo's data, built files and caches
	rm -rf .local .tools staticfiles .mypy_cache .ruff_cache .hypothesis test-results

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet --require-hashes --requirement requirements/uv.txt

.venv/stamp: requirements/dev.txt | $(filter .uv/%,$(UV))
	$(UV) venv --quiet --allow-existing .venv
	$(UV) pip sync --quiet --python $(PYTHON) --require-hashes requirements/dev.txt
	@touch $@

.PHONY: check-oscar
OSCAR := .tools/oscar
check-oscar: .venv/stamp $(OSCAR)/stamp chromium  ## The adapter for django-oscar, then an afternoon with a real shop (SANDBOX=…/django-oscar/sandbox)
	cd clients/oscar && PYTHONPATH=../python:. ../../$(OSCAR)/bin/python -m pytest $(ARGS)
	$(PYTHON) clients/oscar/tests/afternoon.py --oscar $(OSCAR)/bin/python $(if $(SANDBOX),--sandbox "$(SANDBOX)")

$(OSCAR)/stamp: clients/oscar/tests/requirements.txt | $(filter .uv/%,$(UV))
	$(UV) venv --quiet --allow-existing $(OSCAR)
	$(UV) pip sync --quiet --python $(OSCAR)/bin/python --require-hashes clients/oscar/tests/requirements.txt
	@touch $@

.PHONY: test-cluster bench-cluster
CLUSTER := .tools/cluster
test-cluster: $(CLUSTER)/stamp  ## Work in parts on a real Spark with two executors (needs Java 17 or later)
	PYSPARK_PYTHON="$(CURDIR)/$(CLUSTER)/bin/python" $(CLUSTER)/bin/python -m pytest -o filterwarnings=ignore tests/shardwork/test_spark.py $(ARGS)

bench-cluster: $(CLUSTER)/stamp  ## A whole run by this machine and by Spark: the same arrays? (ARGS="--folder DIR --demo --part-acts 100000 --kill executor:60")
	PYSPARK_PYTHON="$(CURDIR)/$(CLUSTER)/bin/python" $(CLUSTER)/bin/python -m bench.growth.cluster_run $(ARGS)

$(CLUSTER)/stamp: requirements/dev.txt requirements/spark.txt | $(filter .uv/%,$(UV))
	$(UV) venv --quiet --allow-existing $(CLUSTER)
	$(UV) pip sync --quiet --python $(CLUSTER)/bin/python --require-hashes requirements/dev.txt requirements/spark.txt
	@touch $@
