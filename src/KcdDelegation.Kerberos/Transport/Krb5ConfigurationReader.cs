namespace KcdDelegation.Kerberos.Transport;

/// <summary>One line <c>name = value</c> of krb5.conf.</summary>
/// <param name="Section">The section's name and the names of the braces that the line stands in; only valid until the next line is read.</param>
/// <param name="Name">Before the equals sign.</param>
/// <param name="Value">Behind it, without quotation marks; not empty.</param>
internal readonly record struct Krb5Setting(IReadOnlyList<string> Section, string Name, string Value);

/// <summary>Reads the form of krb5.conf(5): sections in brackets, <c>name = value</c>, <c>name = {</c> … <c>}</c>, comments behind
/// <c>#</c> or <c>;</c> at the start of a line, <c>include FILE</c> and <c>includedir DIRECTORY</c>. A file that is included has sections of
/// its own.</summary>
internal sealed class Krb5ConfigurationReader
{
    private const int MaxLength = 1 << 20;
    private const int MaxDepth = 8;
    private const int MaxFiles = 100;

    private readonly Action<Krb5Setting> _take;
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private int _files;

    private Krb5ConfigurationReader(Action<Krb5Setting> take) => _take = take;

    /// <exception cref="InvalidDataException">Not such a file; the message names the file and the line.</exception>
    /// <exception cref="IOException">It, or one that it includes, cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It, or one that it includes, may not be read.</exception>
    public static void Read(string path, Action<Krb5Setting> take) => new Krb5ConfigurationReader(take).ReadFile(Path.GetFullPath(path));

    private void ReadFile(string path)
    {
        if (++_files > MaxFiles || _open.Count >= MaxDepth)
            throw new InvalidDataException($"{path} is one file too many: {MaxFiles} are read, {MaxDepth} within each other");
        if (!_open.Add(path))
            throw new InvalidDataException($"{path} includes itself");
        if (new FileInfo(path).Length > MaxLength)
            throw new InvalidDataException($"{path} is larger than {MaxLength} bytes");

        var section = new List<string>();
        var (number, opening) = (0, (string?)null);
        foreach (var text in File.ReadLines(path))
        {
            number++;
            var line = text.AsSpan().Trim();
            if (line.IsEmpty || line[0] is '#' or ';')
                continue;
            if (!ReadLine(line, path, section, ref opening))
                throw new InvalidDataException($"{path} cannot be understood at line {number}");
        }
        if (section.Count > 1 || opening is not null)
            throw new InvalidDataException($"{path} ends within braces");
        _open.Remove(path);
    }

    /// <param name="line">Trimmed, not empty.</param>
    /// <param name="path">The file that it is in.</param>
    /// <param name="section">Where the line stands; changed by the line.</param>
    /// <param name="opening">A name whose brace stands on the next line.</param>
    private bool ReadLine(ReadOnlySpan<char> line, string path, List<string> section, ref string? opening)
    {
        // No text has this character, and no path may: Path throws at it.
        if (line.Contains('\0'))
            return false;
        if (opening is not null)
        {
            section.Add(opening);
            opening = null;
            return line is "{";
        }
        if (line[0] == '[')
            return ReadSection(line, section);
        if (line[0] == '}')
        {
            if (section.Count < 2)
                return false;
            section.RemoveAt(section.Count - 1);
            return line[1..].TrimEnd('*').IsEmpty;
        }
        if (TryInclude(line, path))
            return true;

        var equals = line.IndexOf('=');
        if (equals <= 0 || section.Count == 0)
            return false;
        // An asterisk says that later files may not add to it; lists of KDCs grow all the same.
        var name = line[..equals].TrimEnd().TrimEnd('*').ToString();
        var value = line[(equals + 1)..].Trim();
        if (value is "{")
            section.Add(name);
        else if (value.IsEmpty)
            opening = name;
        else
            _take(new Krb5Setting(section, name, Unquote(value)));
        return section.Count <= MaxDepth;
    }

    private static bool ReadSection(ReadOnlySpan<char> line, List<string> section)
    {
        var end = line.IndexOf(']');
        if (end < 1 || section.Count > 1)
            return false;
        section.Clear();
        section.Add(line[1..end].Trim().ToString());
        return line[(end + 1)..].Trim().TrimEnd('*').IsEmpty;
    }

    private bool TryInclude(ReadOnlySpan<char> line, string path)
    {
        var space = line.IndexOfAny(' ', '\t');
        if (space < 0)
            return false;
        var target = line[space..].Trim();
        switch (line[..space])
        {
            case "include" when target[0] != '=':
                ReadFile(Path.GetFullPath(target.ToString(), Path.GetDirectoryName(path)!));
                return true;
            case "includedir" when target[0] != '=':
                foreach (var file in Directory.EnumerateFiles(Path.GetFullPath(target.ToString(), Path.GetDirectoryName(path)!)).Order(StringComparer.Ordinal))
                {
                    if (IsIncluded(Path.GetFileName(file)))
                        ReadFile(file);
                }
                return true;
            // A plug-in that would supply the rest of the file: nothing that can be read here.
            case "module" when target[0] != '=':
                return true;
            default:
                return false;
        }
    }

    /// <summary>krb5.conf(5): names of letters, digits, dashes and underscores, and names that end in .conf and do not begin with a dot;
    /// so that editors' copies are not read.</summary>
    private static bool IsIncluded(string name) =>
        name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        || (name.EndsWith(".conf", StringComparison.Ordinal) && name[0] != '.');

    private static string Unquote(ReadOnlySpan<char> value) =>
        value.Length >= 2 && value[0] == '"' && value[^1] == '"' ? value[1..^1].ToString() : value.ToString();
}
