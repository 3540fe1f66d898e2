using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Settings;

/// <summary>Holds the settings in force and follows the configuration. An invalid change is logged, and the last valid settings stay in
/// force.</summary>
/// <remarks>An <see cref="IOptionsMonitor{TOptions}"/> would throw at every read after an invalid change.</remarks>
internal sealed class SettingsStore : IDisposable
{
    private readonly Lock _reload = new();
    private readonly IOptionsFactory<KcdOptions>? _factory;
    private readonly ConfigurationFiles? _files;
    private readonly IDisposable[] _subscriptions;
    private readonly ILogger _logger;
    private volatile KcdSettings _current;
    private Action<KcdSettings>? _subscriber;

    /// <summary>Initializes a store with settings that never change.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid. The message lists every error.</exception>
    public SettingsStore(KcdOptions options, ILoggerFactory? loggerFactory = null)
    {
        _logger = loggerFactory?.CreateLogger(Log.Category) ?? NullLogger.Instance;
        (_current, _subscriptions) = (Parse(options), []);
        WarnOfWeakened(_current, known: []);
    }

    /// <summary>Initializes a store that reads the settings again whenever a source reports a change.</summary>
    /// <param name="factory">Creates options from all registrations.</param>
    /// <param name="sources">The sources of changes.</param>
    /// <param name="configuration">The configuration of the host, whose files are read again when they change; null if there is
    /// none.</param>
    /// <param name="loggerFactory">The logger factory.</param>
    /// <exception cref="OptionsValidationException">The options are not valid at the start.</exception>
    public SettingsStore(
        IOptionsFactory<KcdOptions> factory, IEnumerable<IOptionsChangeTokenSource<KcdOptions>> sources, IConfiguration? configuration,
        ILoggerFactory loggerFactory)
    {
        _factory = factory;
        _logger = loggerFactory.CreateLogger(Log.Category);
        var all = sources.ToList();
        // Before the settings are read, so that no change and no unreadable file in between is lost.
        var tokens = all.ConvertAll(source => source.GetChangeToken());
        _files = new ConfigurationFiles(
            all.OfType<ConfigurationSource>().SelectMany(source => source.FindFiles(configuration)), _logger);
        try
        {
            _current = Parse(factory.Create(Options.DefaultName));
        }
        catch
        {
            _files.Dispose();
            throw;
        }
        WarnOfWeakened(_current, known: []);
        _subscriptions = [.. all.Select(source => ChangeToken.OnChange(source.GetChangeToken, Reload)), _files];
        if (tokens.Exists(token => token.HasChanged))
            Reload();
    }

    public KcdSettings Current => _current;

    /// <summary>Invokes the callback with the current settings now, and before each change takes effect. There is one callback, and it must
    /// not throw.</summary>
    public void Subscribe(Action<KcdSettings> subscriber)
    {
        lock (_reload)
        {
            _subscriber = subscriber;
            subscriber(_current);
        }
    }

    public void Dispose()
    {
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
    }

    private void Reload()
    {
        lock (_reload)
        {
            KcdSettings changed;
            try
            {
                ThrowIfUnreadable();
                changed = Parse(_factory!.Create(Options.DefaultName));
                // Again: the file may have changed while the settings were read.
                ThrowIfUnreadable();
            }
            // Any exception of the binder, a post-configuration or the parser: the reason is logged, and the service continues.
            catch (Exception error)
            {
                foreach (var reason in error is OptionsValidationException invalid ? invalid.Failures : [error.Message])
                    Log.SettingsRejected(_logger, PrintableText.From(reason));
                return;
            }
            // The subscriber runs first, so that it is ready when another thread reads the new settings.
            _subscriber?.Invoke(changed);
            var known = _current.Weakened;
            _current = changed;
            Log.SettingsApplied(_logger, changed.Applications.Count);
            WarnOfWeakened(changed, known);
        }
    }

    /// <summary>Refuses settings that lack those of a file, which may be the ones that restrict access.</summary>
    private void ThrowIfUnreadable()
    {
        if (_files?.FindUnreadable() is { } path)
            throw new InvalidDataException(
                $"The configuration file {PrintableText.Quoted(path)} cannot be read, so its settings are missing. Correct the file; all "
                + "changes take effect then.");
    }

    /// <summary>Names the settings that turn a protection off: all at the start, and those that a change adds.</summary>
    private void WarnOfWeakened(KcdSettings settings, IReadOnlyList<WeakenedSetting> known)
    {
        foreach (var weakened in settings.Weakened.Except(known))
            Log.SettingWeakens(
                _logger, PrintableText.From(weakened.Key), PrintableText.From(weakened.Value), weakened.Effect, weakened.Undo);
    }

    private static KcdSettings Parse(KcdOptions options) => SettingsParser.TryParse(options, out var settings, out var errors)
        ? settings with { Weakened = WeakenedSetting.FindAll(options) }
        : throw new OptionsValidationException(Options.DefaultName, typeof(KcdOptions), errors);
}
