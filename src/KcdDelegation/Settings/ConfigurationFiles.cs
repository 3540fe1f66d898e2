using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Settings;

/// <summary>Logs configuration files that cannot be read again.</summary>
/// <remarks>The platform reads a changed file in the background and reports no change if the file is not valid, so without this log the
/// change would be lost without a sign. The settings in force stay.</remarks>
internal sealed class ConfigurationFiles : IDisposable
{
    private readonly ILogger _logger;
    private readonly List<Watched> _watched = [];

    public ConfigurationFiles(IEnumerable<FileConfigurationProvider> files, ILogger logger)
    {
        _logger = logger;
        foreach (var source in files.Select(file => file.Source).Distinct())
            Watch(source);
    }

    public void Dispose()
    {
        foreach (var (source, handler, previous) in _watched)
        {
            if (source.OnLoadException == handler)
                source.OnLoadException = previous;
        }
    }

    private void Watch(FileConfigurationSource source)
    {
        var previous = source.OnLoadException;
        Action<FileLoadExceptionContext> handler = context =>
        {
            // The host's own handler decides whether the error is ignored.
            previous?.Invoke(context);
            Log.SettingsUnreadable(_logger, PrintableText.From(context.Provider.Source.Path),
                PrintableText.From(context.Exception.GetBaseException().Message));
        };
        source.OnLoadException = handler;
        _watched.Add(new Watched(source, handler, previous));
    }

    private sealed record Watched(
        FileConfigurationSource Source, Action<FileLoadExceptionContext> Handler, Action<FileLoadExceptionContext>? Previous);
}
