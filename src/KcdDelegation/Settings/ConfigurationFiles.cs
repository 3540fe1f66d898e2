using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Settings;

/// <summary>Logs configuration files that cannot be read again, and knows which ones still cannot.</summary>
/// <remarks>The platform reads a changed file in the background. If the file is not valid, it removes the settings of the file and reports
/// no change. Without this log the change would be lost without a sign, and the next change of another source would be applied without the
/// settings of this file.</remarks>
internal sealed class ConfigurationFiles : IDisposable
{
    private readonly IEnumerable<FileConfigurationProvider> _files;
    private readonly ILogger _logger;
    private readonly List<Watched> _watched = [];
    private readonly ConcurrentDictionary<FileConfigurationProvider, Failure> _failures = new(ReferenceEqualityComparer.Instance);

    /// <summary>Starts watching.</summary>
    /// <param name="files">The files. They are enumerated again later, because a host can replace its providers.</param>
    /// <param name="logger">The logger.</param>
    public ConfigurationFiles(IEnumerable<FileConfigurationProvider> files, ILogger logger)
    {
        (_files, _logger) = (files, logger);
        foreach (var source in files.Select(file => file.Source).Distinct())
            Watch(source);
    }

    /// <summary>Returns the path of a file that could not be read and was not read since; null if there is none.</summary>
    public string? FindUnreadable()
    {
        foreach (var file in _files)
        {
            if (!_failures.TryGetValue(file, out var failure))
                continue;
            if (failure.IsCurrent())
                return file.Source.Path ?? "";
            _failures.TryRemove(KeyValuePair.Create(file, failure));
        }
        return null;
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
            // First with the default, so that the file counts as unreadable also if the host's handler throws.
            _failures[context.Provider] = new Failure(context.Provider, isReported: false);
            // The host's own handler decides whether the error is ignored.
            previous?.Invoke(context);
            if (context.Ignore)
                _failures[context.Provider] = new Failure(context.Provider, isReported: true);
            Log.SettingsUnreadable(_logger, PrintableText.From(context.Provider.Source.Path),
                PrintableText.From(context.Exception.GetBaseException().Message));
        };
        source.OnLoadException = handler;
        _watched.Add(new Watched(source, handler, previous));
    }

    private sealed record Watched(
        FileConfigurationSource Source, Action<FileLoadExceptionContext> Handler, Action<FileLoadExceptionContext>? Previous);

    /// <summary>A failure to read a file, current until the provider reports a change.</summary>
    /// <param name="file">The provider.</param>
    /// <param name="isReported">Whether the provider reports the failed load as a change, as it does for an ignored error.</param>
    private sealed class Failure(FileConfigurationProvider file, bool isReported)
    {
        private readonly Lock _lock = new();
        private IChangeToken _token = file.GetReloadToken();
        private bool _isReported = isReported;

        public bool IsCurrent()
        {
            lock (_lock)
            {
                // The provider replaces its token before it reports a change.
                var token = file.GetReloadToken();
                if (ReferenceEquals(token, _token))
                    return true;
                if (!_isReported)
                    return false;
                (_token, _isReported) = (token, false);
                return true;
            }
        }
    }
}
