namespace KcdDelegation.Settings;

/// <summary>The check of a key file when the settings are read, so that a missing file is an error of its setting and not of the first
/// request.</summary>
internal static class KeyFile
{
    /// <summary>Reports a file that does not exist or cannot be read.</summary>
    public static void Check(KeyFileKind kind, string path, string key, SettingsErrors errors)
    {
        if (FindProblem(path) is not { } problem)
            return;
        // A password or the content of a keytab in the position of the path must not appear in a message.
        if (kind == KeyFileKind.PasswordFile)
            errors.Add(key, $"names a file that {problem}",
                "Write the path of a file that contains the password, and not the password itself. The value is not shown");
        else if (IsPath(path))
            errors.Add(key, $"{PrintableText.Quoted(path)} {problem}", $"Write the path of a keytab file. {DescribeLocation(path)}");
        else
            errors.Add(key, $"names a file that {problem}",
                $"Write the path of a keytab file, and not its content. The value is not shown. {DescribeLocation(path)}");
    }

    /// <summary>Determines whether the value is certainly a path. A key in Base64 can have slashes, also as its first character.</summary>
    private static bool IsPath(string value) =>
        value.EndsWith(".keytab", StringComparison.OrdinalIgnoreCase) || Path.Exists(value)
        || (Path.GetDirectoryName(value) is { Length: > 0 } directory
            && directory != Path.GetPathRoot(value) && Directory.Exists(directory));

    private static string? FindProblem(string path)
    {
        if (Directory.Exists(path))
            return "is a directory";
        if (!File.Exists(path))
            return "does not exist, or is in a directory that cannot be read";
        try
        {
            // The file may be written at the same time, so it is not locked.
            File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete).Dispose();
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return "cannot be read: access is denied";
        }
        catch (IOException)
        {
            return "cannot be read";
        }
    }

    private static string DescribeLocation(string path) => Path.IsPathFullyQualified(path)
        ? "The user that runs this process must be able to read it"
        : $"A relative path is looked up in the current directory, {PrintableText.Quoted(Environment.CurrentDirectory)}";
}
