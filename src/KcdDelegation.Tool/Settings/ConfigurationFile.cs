using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Tool.Settings;

/// <summary>The file of <c>--config</c>: the JSON settings of a host of the library.</summary>
internal static class ConfigurationFile
{
    private const string Section = "Kcd";

    /// <exception cref="UsageException">The file cannot be read, is not JSON, or has no settings of this library.</exception>
    public static KcdOptions Read(string path)
    {
        try
        {
            var section = new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(path), optional: false, reloadOnChange: false)
                .Build()
                .GetSection(Section);
            if (!section.Exists())
            {
                throw new UsageException(
                    $"--config: {path} has no section \"{Section}\". Example: {{ \"Kcd\": {{ \"Realm\": \"CONTOSO.COM\", … }} }}.");
            }
            var options = new KcdOptions();
            // As in the library: an unknown key is an error, because a misspelt setting would silently not apply.
            section.Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
            return options;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UsageException($"--config: {path} does not exist.", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--config: {path} cannot be read: {error.Message}", error);
        }
        catch (InvalidDataException error)
        {
            // The reader wraps the original exception, which names the line.
            throw new UsageException($"--config: {path} cannot be read: {error.GetBaseException().Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // The message of the binder names the setting.
            throw new UsageException($"--config: {path}: {error.Message}", error);
        }
    }
}
