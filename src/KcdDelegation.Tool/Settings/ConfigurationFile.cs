using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Tool.Settings;

/// <summary>The file of <c>--config</c>: the JSON that a host of the library is configured with.</summary>
internal static class ConfigurationFile
{
    private const string Section = "Kcd";

    /// <exception cref="UsageException">The file cannot be read, is not JSON, or has no settings of this library.</exception>
    public static KcdOptions Read(string path)
    {
        try
        {
            var section = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(path), optional: false, reloadOnChange: false).Build().GetSection(Section);
            if (!section.Exists())
                throw new UsageException($"{path} has no section \"{Section}\". It looks like {{ \"Kcd\": {{ \"Realm\": \"CONTOSO.COM\", … }} }}.");
            var options = new KcdOptions();
            // As the library does it: a setting that is misspelt would be a setting that is not in force.
            section.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
            return options;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(unreadable is FileNotFoundException ? $"{path} does not exist." : $"{path} cannot be read: {unreadable.Message}", unreadable);
        }
        catch (InvalidDataException garbage)
        {
            // The reader wraps what it found; the innermost names the line.
            throw new UsageException($"{path} cannot be read: {garbage.GetBaseException().Message}", garbage);
        }
        catch (InvalidOperationException wrong)
        {
            // The binder's own message names the setting.
            throw new UsageException($"{path}: {wrong.Message}", wrong);
        }
    }
}
