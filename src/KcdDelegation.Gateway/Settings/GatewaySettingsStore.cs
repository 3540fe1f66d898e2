using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Holds the settings in force. A change of the file is applied as a whole or not at all. Thread-safe.</summary>
/// <remarks>The library gets its section from here, and not from the file, so that its settings and those of the gateway never come from
/// two versions of the file.</remarks>
internal sealed class GatewaySettingsStore : IOptionsChangeTokenSource<KcdOptions>
{
    private readonly Lock _reload = new();
    private readonly GatewaySettingsFile _file;
    private readonly ILogger _logger;
    private readonly List<Action<GatewaySettings>> _subscribers = [];
    private volatile GatewaySettings _current;
    private string _lastHash;
    private string? _lastFailure;
    private ConfigurationReloadToken _change = new();

    public GatewaySettingsStore(GatewaySettingsFile file, LoadedSettings loaded, ILoggerFactory loggerFactory)
    {
        (_file, _current, _lastHash) = (file, loaded.Settings, loaded.Hash);
        _logger = loggerFactory.CreateLogger(GatewayLog.Category);
    }

    public string Name => Options.DefaultName;

    public GatewaySettings Current => _current;

    public IChangeToken GetChangeToken() => _change;

    /// <summary>Invokes the callback with the current settings now, and after each change. It must not throw.</summary>
    public void Subscribe(Action<GatewaySettings> subscriber)
    {
        lock (_reload)
        {
            _subscribers.Add(subscriber);
            subscriber(_current);
        }
    }

    /// <summary>Reads the file again. A file with an error is logged, and the settings in force stay.</summary>
    /// <param name="always">Whether a file with the same content is read too, since the files that it names may have changed.</param>
    /// <returns>Whether settings were applied.</returns>
    public bool Reload(bool always = false)
    {
        lock (_reload)
        {
            try
            {
                var content = _file.ReadContent();
                var hash = GatewaySettingsFile.Hash(content);
                // A file that was refused is not refused again until it changes.
                if (!always && string.Equals(hash, _lastHash, StringComparison.Ordinal))
                    return false;
                _lastHash = hash;
                Apply(_file.Parse(content));
                _lastFailure = null;
                return true;
            }
            // Any exception of the parser too: the reason is logged, and the gateway continues with the last settings.
            catch (Exception error)
            {
                Report(error);
                return false;
            }
        }
    }

    private void Apply(GatewaySettings settings)
    {
        _current = settings;
        // First the library, so that it knows an application before requests for it are accepted.
        Interlocked.Exchange(ref _change, new ConfigurationReloadToken()).OnReload();
        foreach (var subscriber in _subscribers)
            subscriber(settings);
        GatewayLog.SettingsApplied(_logger, settings.Applications.Count);
    }

    /// <summary>Logs every error, once until it changes.</summary>
    private void Report(Exception error)
    {
        if (string.Equals(_lastFailure, error.Message, StringComparison.Ordinal))
            return;
        _lastFailure = error.Message;
        foreach (var text in error is GatewaySettingsException invalid ? invalid.Errors : [error.Message])
            GatewayLog.SettingsRejected(_logger, PrintableText.From(text));
    }
}
