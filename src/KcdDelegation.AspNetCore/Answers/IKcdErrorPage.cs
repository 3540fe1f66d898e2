using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore;

/// <summary>Writes the error page for browsers. Register an implementation as a singleton to replace the built-in page.</summary>
public interface IKcdErrorPage
{
    /// <summary>Writes the content type and the body. Status and caching headers are set already.</summary>
    /// <param name="context">The request. Its response has not started.</param>
    /// <param name="answer">The texts. None of them is encoded for HTML.</param>
    Task WriteAsync(HttpContext context, KcdErrorAnswer answer);
}
