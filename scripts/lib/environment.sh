# shellcheck shell=bash
# For the other scripts, first thing:
#
#   source "$(dirname "${BASH_SOURCE[0]}")/lib/environment.sh"
#   use_environment "$version"
#
# where the version, or nothing, is what the script's own option --home-assistant says. It
# sets the environment up if it is not, and then sets
#
#   ROOT      the repository
#   VENV      the virtual environment: .venv, or .venv-VERSION for another Home Assistant
#   PYTHON    its interpreter
#
# and puts the environment's programs (hass, pytest, ruff, ...) first in PATH. Without a
# version, or with the version that the tests run on, it is .venv. The working directory is
# left alone. What Python compiles is kept in the environment, also where Python was told to
# keep nothing: compiling Home Assistant takes longer than most of what is done with it.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The version of Home Assistant that the tests run on; the test plugin pins it.
TESTED_HOME_ASSISTANT=2026.10.4

MANIFEST=custom_components/media_arrivals/manifest.json

# What an environment is made of; when it changes, the environment is brought up to date.
environment_stamp() {
  local made_of=("$ROOT"/requirements/*.txt "$ROOT/$MANIFEST")
  made_of+=("$ROOT"/scripts/{setup,lib/environment.sh,lib/integration_requirements.py})
  echo "$ROOT $1 $(cat "${made_of[@]}" | cksum)"
}

# locate_environment [VERSION]: sets the variables, makes nothing.
locate_environment() {
  HOME_ASSISTANT=${1:-$TESTED_HOME_ASSISTANT}
  VENV=$ROOT/.venv
  [[ $HOME_ASSISTANT == "$TESTED_HOME_ASSISTANT" ]] || VENV=$ROOT/.venv-$HOME_ASSISTANT
  PYTHON=$VENV/bin/python
}

# Whether what locate_environment found is made, of today's requirements, and can run.
environment_is_ready() {
  [[ -r $VENV/.setup && $(<"$VENV/.setup") == "$(environment_stamp "$HOME_ASSISTANT")" ]] &&
    "$PYTHON" -I -S -c '' 2>/dev/null
}

use_environment() {
  locate_environment "${1:-}"
  environment_is_ready || "$ROOT/scripts/setup" --home-assistant "$HOME_ASSISTANT" >&2 || exit 1
  export PATH="$VENV/bin:$PATH" VIRTUAL_ENV="$VENV" PYTHONPYCACHEPREFIX="$VENV/.compiled"
  unset PYTHONDONTWRITEBYTECODE
  export ROOT VENV PYTHON HOME_ASSISTANT
}
