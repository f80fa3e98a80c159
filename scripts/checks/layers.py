"""What import-linter cannot say: the engine imports nothing of ours but itself.

Its imports of itself are relative, so that it can be loaded on its own by its path.
"""

import ast

from .code import Code
from .problems import Problem


def check(code: Code) -> list[Problem]:
    """Name the imports that lead out of the engine, or would not work without the package."""
    engine = f"{code.package}.engine"
    problems = []
    for module in code.ours:
        if not f"{module.name}.".startswith(f"{engine}."):
            continue
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom) and node.level:
                source = module.absolute(node)
                if not f"{source}.".startswith(f"{engine}."):
                    text = f"leads out of the engine to {source}; the engine stands alone"
                    problems.append(Problem(module.file, node.lineno, text))
                continue
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("custom_components"):
                    text = f"imports {name} by its full name; use a relative import"
                    problems.append(Problem(module.file, getattr(node, "lineno", 1), text))
    return problems
