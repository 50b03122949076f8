"""Looks into Python sources by their syntax tree; nothing of them is imported or executed.

Called with one argument, the question; the request comes as JSON on standard input and the answer
goes as JSON to standard output. Standard library only, Python 3.6 or later.
"""
import ast
import json
import sys
import warnings

warnings.simplefilter("ignore")
LIMIT = 500


def parse(path):
    """The tree of a file, or (None, line, message)."""
    try:
        with open(path, "rb") as source:
            return ast.parse(source.read(), filename=path), 0, ""
    except SyntaxError as error:
        return None, error.lineno or 0, error.msg or "syntax error"
    except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
        return None, 0, "%s: %s" % (type(error).__name__, error)


def compile_files(request):
    failures, missing, checked = [], [], 0
    for item in request["files"]:
        try:
            with open(item["file"], "rb") as source:
                text = source.read()
        except (FileNotFoundError, NotADirectoryError):
            missing.append(item["path"])
            continue
        checked += 1
        try:
            compile(text, item["path"], "exec", dont_inherit=True)
        except SyntaxError as error:
            failures.append({"path": item["path"], "line": error.lineno or 0,
                             "message": error.msg or "syntax error"})
        except (ValueError, RecursionError, MemoryError, UnicodeError) as error:
            failures.append({"path": item["path"], "line": 0,
                             "message": "%s: %s" % (type(error).__name__, error)})
    return {"checked": checked, "failures": failures[:LIMIT], "missing": missing[:LIMIT],
            "version": sys.version.split()[0]}


def bound_by(target):
    """Names an assignment target, import or definition binds."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Starred):
        return bound_by(target.value)
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for element in target.elts for name in bound_by(element)]
    return []


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = FUNCTIONS + (ast.ClassDef, ast.Lambda)


def inner(node):
    """Nodes below `node` that share its scope, itself left out."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            for below in inner(child):
                yield below


def definitions(body_owner):
    """name -> kind, for what a module or class body binds in its own scope."""
    names = {}
    for node in inner(body_owner):
        if isinstance(node, FUNCTIONS):
            names[node.name] = "function"
        elif isinstance(node, ast.ClassDef):
            names[node.name] = "class"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                names.setdefault((alias.asname or alias.name).split(".")[0], "import")
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                for name in bound_by(target):
                    names.setdefault(name, "variable")
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)):
            for name in bound_by(node.target):
                names.setdefault(name, "variable")
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            for name in bound_by(node.optional_vars):
                names.setdefault(name, "variable")
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.setdefault(node.name, "variable")
        elif type(node).__name__ == "NamedExpr":
            for name in bound_by(node.target):
                names.setdefault(name, "variable")
    return names


def classes(tree):
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def self_attributes(node):
    """Attributes that methods of a class assign on their first parameter."""
    names = set()
    for below in ast.walk(node):
        if isinstance(below, ast.Attribute) and isinstance(below.ctx, ast.Store):
            names.add(below.attr)
    return names


def arguments_of(node):
    spec = node.args
    every = spec.args + spec.kwonlyargs + getattr(spec, "posonlyargs", [])
    every += [one for one in (spec.vararg, spec.kwarg) if one is not None]
    return {argument.arg for argument in every}


def uses_of_names(tree, wanted):
    """Lines where a name of the module scope is read; names bound in a function shadow it there."""
    found = {name: [] for name in wanted}

    def visit(node, shadowed):
        for child in ast.iter_child_nodes(node):
            inside = shadowed
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
                if child.id in found and child.id not in shadowed:
                    found[child.id].append(child.lineno)
            elif isinstance(child, FUNCTIONS + (ast.Lambda,)):
                local = set(arguments_of(child))
                if not isinstance(child, ast.Lambda):
                    declared = {name for below in inner(child) if isinstance(below, ast.Global)
                                for name in below.names}
                    local |= set(definitions(child)) - declared
                inside = shadowed | local
            elif isinstance(child, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
                inside = shadowed | {name for one in child.generators
                                     for name in bound_by(one.target)}
            visit(child, inside)

    visit(tree, set())
    return found


def uses_of_attributes(tree, wanted):
    found = {name: [] for name in wanted}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            if node.attr in found:
                found[node.attr].append(node.lineno)
        elif (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
              and node.func.id == "getattr" and len(node.args) == 2):
            # Without a default it needs the attribute as a call does.
            key = node.args[1]
            text = getattr(key, "value", getattr(key, "s", None))
            if isinstance(text, str) and text in found:
                found[text].append(node.lineno)
    return found


def lost_in_file(before, after):
    """Names defined before and not after, with the lines that still use them."""
    lost = []
    now = definitions(after)
    gone = {name: kind for name, kind in definitions(before).items() if name not in now}
    uses = uses_of_names(after, gone)
    for name, kind in sorted(gone.items()):
        lost.append({"name": name, "kind": kind, "public": not name.startswith("_"),
                     "used_at": sorted(set(uses[name]))})
    classes_now = classes(after)
    provided = {}
    for name, node in classes_now.items():
        provided[name] = set(definitions(node)) | self_attributes(node)
    anywhere = set().union(*provided.values()) if provided else set()
    for name, node in sorted(classes(before).items()):
        if name not in classes_now:
            continue  # the class itself is in the list, if its scope was the module's
        members = {member: kind for member, kind in definitions(node).items()
                   if member not in provided[name]}
        inside = uses_of_attributes(classes_now[name], members)
        outside = uses_of_attributes(after, members)
        for member, kind in sorted(members.items()):
            # Elsewhere the object may be of another class of this file that has the name.
            lines = inside[member] if member in anywhere else outside[member]
            bases = [base.id for base in classes_now[name].bases if isinstance(base, ast.Name)]
            if any(member in provided.get(base, ()) for base in bases):
                lines = []
            lost.append({"name": name + "." + member,
                         "kind": "method" if kind == "function" else kind,
                         "public": not member.startswith("_"), "used_at": sorted(set(lines))})
    return lost


def symbols(request):
    lost, unparsable, compared = [], [], 0
    for item in request["files"]:
        before, _, _ = parse(item["before"])
        after, line, message = parse(item["after"]) if item["after"] else (ast.parse(""), 0, "")
        if after is None:
            unparsable.append({"path": item["path"], "line": line, "message": message})
        if before is None or after is None:
            continue
        compared += 1
        for entry in lost_in_file(before, after):
            entry["path"] = item["path"]
            lost.append(entry)
    dangling = [entry for entry in lost if entry["used_at"]]
    removed = [entry["path"] + ": " + entry["name"] for entry in lost
               if entry["public"] and entry["kind"] in ("method", "function", "class")]
    for entry in lost:
        entry["used_at"] = entry["used_at"][:20]
    lost.sort(key=lambda entry: not entry["used_at"])
    return {"files": compared, "lost": lost[:300], "lost_total": len(lost),
            "dangling": ["%s:%d: %s" % (entry["path"], entry["used_at"][0], entry["name"])
                         for entry in dangling][:300],
            "dangling_total": len(dangling), "removed_public": removed[:300],
            "unparsable": unparsable[:LIMIT]}


def has(request):
    found, missing, unparsable = [], [], []
    for item in request["items"]:
        label = item["file"] + ":" + (item["class"] + "." if item["class"] else "")
        tree, line, message = parse(item["source"]) if item["source"] else (None, 0, "")
        if tree is None:
            if item["source"]:
                unparsable.append({"path": item["file"], "line": line, "message": message})
            missing.extend(label + name for name in item["names"])
            continue
        owner = classes(tree).get(item["class"]) if item["class"] else tree
        names = definitions(owner) if owner is not None else {}
        for name in item["names"]:
            (found if name in names else missing).append(label + name)
    return {"found": found[:LIMIT], "missing": missing[:LIMIT], "unparsable": unparsable[:LIMIT]}


def imports(request):
    """Modules of one package that files import, with the line."""
    package, uses, unparsable = request["package"], [], []
    for item in request["files"]:
        tree, line, message = parse(item["file"])
        if tree is None:
            unparsable.append({"path": item["path"], "line": line, "message": message})
            continue
        parts = item["path"].split("/")[:-1]
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if node.level:
                    above = parts[:len(parts) - node.level + 1]
                    module = ".".join(above + ([module] if module else []))
                names = [(module, alias.name) for alias in node.names]
            for module, name in names:
                full = module + ("." + name if name else "")
                if any(text == package or text.startswith(package + ".")
                       for text in (module, full)):
                    uses.append({"path": item["path"], "line": node.lineno, "module": module,
                                 "name": name})
    return {"uses": uses[:2000], "unparsable": unparsable[:LIMIT]}


def main():
    sys.setrecursionlimit(10000)
    answer = {"compile": compile_files, "symbols": symbols, "has": has, "imports": imports}
    json.dump(answer[sys.argv[-1]](json.load(sys.stdin)), sys.stdout)


main()
