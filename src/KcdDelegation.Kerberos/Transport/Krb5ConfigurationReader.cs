using System.Text;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>One line <c>name = value</c> of krb5.conf.</summary>
/// <param name="Section">The section and the subsections that contain the line. Only valid until the next line is read.</param>
/// <param name="Name">The text before the equals sign.</param>
/// <param name="Value">The text after it, without quotation marks.</param>
/// <param name="File">The file that contains the line.</param>
/// <param name="Line">The line's number.</param>
internal readonly record struct Krb5Setting(IReadOnlyList<string> Section, string Name, string Value, string File, int Line);

/// <summary>A reader of the format of krb5.conf(5).</summary>
/// <remarks>The format has sections in brackets, <c>name = value</c>, <c>name = {</c> … <c>}</c>, comments at the start of a line (after
/// <c>#</c> or <c>;</c>), <c>include FILE</c> and <c>includedir DIRECTORY</c>. An included file has its own sections. Text after a closing
/// brace is ignored, as in MIT's library, and comments are also accepted after an opening brace and after a section's name.</remarks>
internal sealed class Krb5ConfigurationReader(Action<Krb5Setting> take, Action<string> warn)
{
    private const int MaxLength = 1 << 20;
    private const int MaxDepth = 8;
    private const int MaxFiles = 100;

    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _final = new(StringComparer.Ordinal);
    private int _files;

    /// <summary>Reads a file and the files that it includes.</summary>
    /// <exception cref="InvalidDataException">The file is malformed. The message names the file and the line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file was denied.</exception>
    public void Read(string path) => ReadFile(Path.GetFullPath(path));

    /// <summary>Returns whether the files read so far mark a section, subsection or setting as final by an asterisk.</summary>
    /// <remarks>Files that are listed later in KRB5_CONFIG cannot add to it.</remarks>
    public bool IsFinal(params ReadOnlySpan<string?> names) => _final.Contains(string.Join('\n', names));

    private void ReadFile(string path)
    {
        if (++_files > MaxFiles || _open.Count >= MaxDepth)
        {
            throw new InvalidDataException(
                $"{path} is one file too many: at most {MaxFiles} files are read, nested at most {MaxDepth} deep");
        }
        if (!_open.Add(path))
            throw new InvalidDataException($"{path} includes itself");

        try
        {
            var section = new List<string>();
            var (number, opening) = (0, (string?)null);
            foreach (var text in ReadText(path).AsSpan().EnumerateLines())
            {
                number++;
                var line = text.Trim();
                if (line.IsEmpty || line[0] is '#' or ';')
                    continue;
                if (!ReadLine(line, path, number, section, ref opening))
                    throw new InvalidDataException($"{path} is malformed at line {number}");
            }
            if (section.Count > 1 || opening is not null)
                throw new InvalidDataException($"{path} ends inside braces");
        }
        finally
        {
            _open.Remove(path);
        }
    }

    /// <summary>Reads a file of bounded length. A device, a pipe or a socket has the length 0 and is not opened: it could block or never
    /// end.</summary>
    private static string ReadText(string path)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException($"{path} is a directory");
        // The length of a symbolic link itself is the length of its target's name.
        var file = File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
        var size = file.Length;
        if (size == 0)
            return "";
        if (size > MaxLength)
            throw new InvalidDataException($"{path} is larger than {MaxLength} bytes");
        using var stream = file.OpenRead();
        // The file may grow or shrink while it is read. What is appended meanwhile is read the next time.
        var content = new byte[size];
        var length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
        var text = Encoding.UTF8.GetString(content, 0, length);
        return text is ['\ufeff', .. var rest] ? rest : text;
    }

    /// <param name="line">The line, trimmed and not empty.</param>
    /// <param name="path">The file that contains it.</param>
    /// <param name="number">The line's number.</param>
    /// <param name="section">The section and subsections at this line. The line can change them.</param>
    /// <param name="opening">The name of a subsection whose opening brace is on the next line.</param>
    private bool ReadLine(ReadOnlySpan<char> line, string path, int number, List<string> section, ref string? opening)
    {
        // Path throws an exception for a path with this character.
        if (line.Contains('\0'))
            return false;
        if (opening is not null)
        {
            section.Add(opening);
            opening = null;
            return IsOpeningBrace(line);
        }
        if (line[0] == '[')
            return ReadSection(line, section);
        if (line[0] == '}')
            return EndSubsection(line, section);
        if (TryInclude(line, path, number))
            return true;

        var equals = line.IndexOf('=');
        if (equals <= 0 || section.Count == 0)
            return false;
        var name = line[..equals].TrimEnd();
        var isFinal = name.EndsWith("*");
        var key = name.TrimEnd('*').ToString();
        if (isFinal)
            MarkFinal([.. section, key]);
        var value = line[(equals + 1)..].Trim();
        if (IsOpeningBrace(value))
            section.Add(key);
        else if (value.IsEmpty)
            opening = key;
        else
            take(new Krb5Setting(section, key, Unquote(value), path, number));
        return section.Count <= MaxDepth;
    }

    private bool ReadSection(ReadOnlySpan<char> line, List<string> section)
    {
        var end = line.IndexOf(']');
        if (end < 1 || section.Count > 1)
            return false;
        section.Clear();
        section.Add(line[1..end].Trim().ToString());
        var rest = line[(end + 1)..].Trim();
        if (rest.StartsWith("*"))
        {
            MarkFinal(section);
            rest = rest[1..].TrimStart();
        }
        return IsEmptyOrComment(rest);
    }

    private bool EndSubsection(ReadOnlySpan<char> line, List<string> section)
    {
        if (section.Count < 2)
            return false;
        if (line[1..].StartsWith("*"))
            MarkFinal(section);
        section.RemoveAt(section.Count - 1);
        return true;
    }

    private void MarkFinal(IReadOnlyList<string> names) => _final.Add(string.Join('\n', names));

    private bool TryInclude(ReadOnlySpan<char> line, string path, int number)
    {
        var space = line.IndexOfAny(' ', '\t');
        if (space < 0)
            return false;
        var target = line[space..].Trim();
        if (target[0] == '=')
            return false;
        switch (line[..space])
        {
            case "include":
                Include(GetFullPath(target, path), path, number, ReadFile);
                return true;
            case "includedir":
                Include(GetFullPath(target, path), path, number, ReadDirectory);
                return true;
            // A plug-in that supplies the rest of the configuration, which cannot be read here.
            case "module":
                warn($"{path} names a module at line {number}, which is not supported");
                return true;
            default:
                return false;
        }
    }

    private static string GetFullPath(ReadOnlySpan<char> target, string path) =>
        Path.GetFullPath(target.ToString(), Path.GetDirectoryName(path)!);

    /// <summary>Reads an included file or directory. A failure does not end the reading of the including file.</summary>
    private void Include(string target, string path, int number, Action<string> read)
    {
        try
        {
            read(target);
        }
        catch (Exception failure) when (IsUnreadable(failure))
        {
            warn($"{path} includes {target} at line {number}, which could not be read completely: {failure.Message}");
        }
    }

    private void ReadDirectory(string directory)
    {
        var files = Directory.EnumerateFiles(directory).Where(static file => IsIncluded(Path.GetFileName(file)));
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            try
            {
                ReadFile(file);
            }
            catch (Exception failure) when (IsUnreadable(failure))
            {
                warn($"{file} could not be read completely: {failure.Message}");
            }
        }
    }

    private static bool IsUnreadable(Exception failure) => failure is InvalidDataException or IOException or UnauthorizedAccessException;

    /// <summary>Returns whether includedir reads a file. Backup copies of editors are not read.</summary>
    /// <remarks>krb5.conf(5): names of letters, digits, dashes and underscores, and names that end in .conf and do not begin with a
    /// dot.</remarks>
    private static bool IsIncluded(string name) =>
        name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        || (name.EndsWith(".conf", StringComparison.Ordinal) && name[0] != '.');

    private static bool IsOpeningBrace(ReadOnlySpan<char> text) => text.StartsWith("{") && IsEmptyOrComment(text[1..].TrimStart());

    private static bool IsEmptyOrComment(ReadOnlySpan<char> text) => text.IsEmpty || text[0] is '#' or ';';

    /// <summary>Returns the content of a quoted string, up to the closing quotation mark, or any other value as it is.</summary>
    private static string Unquote(ReadOnlySpan<char> value)
    {
        if (value[0] != '"')
            return value.ToString();
        var text = new StringBuilder();
        for (var i = 1; i < value.Length && value[i] != '"'; i++)
        {
            if (value[i] != '\\' || i + 1 == value.Length)
            {
                text.Append(value[i]);
                continue;
            }
            i++;
            text.Append(value[i] switch { 'n' => '\n', 't' => '\t', 'b' => '\b', var other => other });
        }
        return text.ToString();
    }
}
