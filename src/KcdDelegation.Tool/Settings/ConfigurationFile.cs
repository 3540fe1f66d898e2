using KcdDelegation.DirectoryServices;
using KcdDelegation.Settings;
using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Tool.Settings;

/// <summary>The file of <c>--config</c>: the JSON settings of a host of the library.</summary>
internal static class ConfigurationFile
{
    private const string Section = "Kcd";

    /// <summary>Reads the settings. Errors of single settings are reported by <see cref="ThrowIfInvalid"/>.</summary>
    /// <exception cref="UsageException">The file cannot be read, is not JSON, or has no settings of this library.</exception>
    public static KcdOptions Read(string path)
    {
        try
        {
            var file = new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(path), optional: false, reloadOnChange: false)
                .Build();
            var section = file.GetSection(Section);
            if (!section.Exists())
            {
                throw new UsageException(
                    $"--config: {path} has no section \"{Section}\". Example: {{ \"Kcd\": {{ \"Realm\": \"CONTOSO.COM\", … }} }}.");
            }
            var options = new KcdOptions { ClustersHaveAddresses = HasDelegatedClusters(file) }.UseDirectory();
            SettingsBinder.Bind(section, options);
            AddGatewayAddresses(file, options);
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
    }

    /// <summary>Determines whether the file is one of a YARP gateway, whose applications need no address.</summary>
    private static bool HasDelegatedClusters(IConfiguration file) => file.AsEnumerable().Any(static entry =>
        entry.Key.EndsWith(":Metadata:KcdApplication", StringComparison.OrdinalIgnoreCase));

    /// <summary>Adds the addresses of backends that a gateway's file has with the gateway's own applications.</summary>
    private static void AddGatewayAddresses(IConfiguration file, KcdOptions options)
    {
        foreach (var application in file.GetSection("Applications").GetChildren())
        {
            var address = application.GetSection("InternalUrls").GetChildren().FirstOrDefault()?.Value;
            if (options.Applications.TryGetValue(application["Delegation"] ?? application.Key, out var delegated)
                && delegated is { InternalUrl: null } && Uri.TryCreate(address, UriKind.Absolute, out var url))
                delegated.InternalUrl = url;
        }
    }

    /// <summary>Checks the settings as a host does.</summary>
    /// <param name="options">The settings of the file.</param>
    /// <param name="application">The application of <c>--app</c>; null if there is none.</param>
    /// <param name="replaced">The keys of settings that options of the command line replace. Their errors have no effect.</param>
    /// <exception cref="UsageException">A host with these settings would not start. The message lists every error.</exception>
    public static void ThrowIfInvalid(KcdOptions options, string? application, params IEnumerable<string> replaced)
    {
        var ignored = replaced.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var errors = SettingsParser.FindErrors(options).Where(error => !ignored.Contains(error.Key)).Select(error => error.Text).ToList();
        if (errors.Count == 0)
            return;
        if (application is not null && !options.Applications.ContainsKey(application))
            errors.Add(ConfiguredApplication.DescribeMissing(options, application));
        throw new UsageException(string.Join(Environment.NewLine, errors.Prepend("The settings are not valid:")));
    }
}
